/*
 * run_ids.c - id mappings of a new user namespace, with the words of podman's --userns.
 *
 * Which ids there are is in id_ranges.c. Root takes a range that follows from the container's name,
 * out of the numbers that systemd keeps for containers, or the next one that no container has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/id_ranges.h"
#include "cli/ids_taken.h"
#include "cli/people.h"
#include "sys/abi.h"

#define RANGE_SIZE  65536U
#define RANGE_FIRST 0x80000U /* systemd's UIDS-GIDS.md: 524288 to 1879048191 */
#define RANGE_COUNT 28664U
#define TTY_GID     5U /* of terminals, in every distribution */

static void add_map(struct buf *b, uint32_t inside, uint32_t outside, uint32_t size)
{
	if (size == 0)
		return;
	out_open(b, NULL, '{');
	out_unsigned(b, "containerID", inside);
	out_unsigned(b, "hostID", outside);
	out_unsigned(b, "size", size);
	out_close(b, '}');
}

/* Takes ids from `from` on until `size` are mapped; returns how many were. */
static uint32_t add_from(struct buf *b, struct id_ranges *from, uint32_t inside, uint32_t size)
{
	uint32_t done = 0;

	for (size_t i = 0; i < from->n && done < size; i++) {
		struct id_range *r = &from->v[i];
		uint32_t n = r->size < size - done ? r->size : size - done;

		add_map(b, inside + done, r->first, n);
		r->first += n;
		r->size -= n;
		done += n;
	}
	return done;
}

/* ---- the maps -----------------------------------------------------------------------------------
 */

struct maps {
	struct buf uids, gids;
};

static void maps_done(struct maps *m)
{
	buf_done(&m->uids);
	buf_done(&m->gids);
}

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619U;
	return h;
}

/* What follows the word of a mode: "keep-id:uid=5,gid=6,size=7". Only `known` may be given. */
struct mode_words {
	uint32_t uid, gid, size;
};

static int read_mode(struct people *p, const char *mode, const char *known, struct mode_words *w)
{
	const char *rest = strchr(mode, ':');

	for (rest = rest ? rest + 1 : NULL; rest;) {
		const char *value, *word = value_part(p->arena, rest, ',', &rest);
		const char *key = value_part(p->arena, word, '=', &value);
		const bool is_size = strcmp(key, "size") == 0 || strcmp(known, "size") == 0;
		uint64_t number;

		if (!value_has(known, key) || !value ||
		    num_u64(value, is_size ? RANGE_SIZE : RANGE_SIZE - 1, &number) < 0 ||
		    (is_size && number == 0))
			return err_say(p->err, -EINVAL,
				       "--userns %.100s: expected %s=N, with N from %d up to %u",
				       mode, known, is_size, is_size ? RANGE_SIZE : RANGE_SIZE - 1);
		*(is_size ? &w->size : *key == 'g' ? &w->gid : &w->uid) = (uint32_t)number;
	}
	return 0;
}

/* The range of these that begins with the offset-th. */
static struct id_ranges part_of(const struct id_ranges *all, uint32_t offset, uint32_t size)
{
	struct id_ranges ret = { 0 }, rest = *all;

	id_ranges_skip(&rest, offset);
	for (size_t i = 0; i < rest.n && size > 0; i++) {
		uint32_t n = rest.v[i].size < size ? rest.v[i].size : size;

		if (n > 0)
			ret.v[ret.n++] = (struct id_range){ rest.v[i].first, n };
		size -= n;
	}
	return ret;
}

/* Looks for `size` uids which no container has that runs; the container's name says where first. */
static int find_free(struct people *p, const struct id_ranges *all, uint32_t count, uint32_t size,
		     uint32_t *ret)
{
	_cleanup_buf_ struct buf taken = { 0 };
	int r = ids_taken_read(p, &taken);

	for (uint32_t i = 0; i < count && r == 0; i++) {
		struct id_ranges part;
		bool is_free = true;

		*ret = (hash(p->id) % count + i) % count * size;
		part = part_of(all, *ret, size);
		for (size_t j = 0; j < part.n; j++)
			is_free = is_free && !ids_taken_has(&taken, &part.v[j]);
		if (is_free)
			return 0;
	}
	return r < 0 ? r
		     : err_say(p->err, -EBUSY,
			       "--userns: all of the %u times %u ids are those of containers that "
			       "run",
			       count, size);
}

static int map_root_range(struct people *p, const char *mode, struct maps *m)
{
	static const struct id_ranges all = { 1, { { RANGE_FIRST, RANGE_SIZE * RANGE_COUNT } } };
	struct mode_words w = { .size = RANGE_SIZE };
	uint32_t first = 0;
	int r = given(mode) ? read_mode(p, mode, "size", &w) : 0;

	if (r == 0)
		r = find_free(p, &all, RANGE_COUNT, RANGE_SIZE, &first);
	if (r < 0)
		return r;
	first += RANGE_FIRST;
	add_map(&m->uids, 0, first, w.size);
	add_map(&m->gids, 0, first, w.size);
	p->few_ids = w.size <= TTY_GID;
	return 0;
}

/* "auto", "auto:size=1000": a part of what there is, and not our own id. */
static int map_part(struct people *p, const char *mode, struct own_ids *own, struct maps *m)
{
	struct mode_words w = { 0 };
	uint32_t uids = id_ranges_total(&own->uids), gids = id_ranges_total(&own->gids);
	uint32_t all = uids < gids ? uids : gids, offset = 0;
	int r = read_mode(p, mode, strncmp(mode, "auto", 4) == 0 ? "size" : "nothing", &w);

	if (r < 0)
		return r;
	if (w.size > all)
		return err_say(p->err, -ERANGE, "--userns %.100s: there are %u ids to take it from",
			       mode, all);
	if (w.size > 0)
		r = find_free(p, &own->uids, all / w.size, w.size, &offset);
	else /* all of them, so that there are no others */
		w.size = all < RANGE_SIZE ? all : RANGE_SIZE;
	if (r < 0)
		return r;
	id_ranges_skip(&own->uids, offset);
	id_ranges_skip(&own->gids, offset);
	(void)add_from(&m->uids, &own->uids, 0, w.size);
	(void)add_from(&m->gids, &own->gids, 0, w.size);
	p->few_ids = w.size <= TTY_GID;
	return 0;
}

/* Our own id at `inside`, others around it, `size` together. */
static void map_around(struct buf *b, struct id_ranges *r, uint32_t inside, uint32_t own,
		       uint32_t size)
{
	uint32_t below = add_from(b, r, 0, inside);

	add_map(b, inside, own, 1);
	if (below == inside && size > inside + 1)
		(void)add_from(b, r, inside + 1, size - inside - 1);
}

static int keep_id(struct people *p, const char *mode, struct own_ids *own, struct maps *m)
{
	struct mode_words w = { .uid = p->facts.euid, .gid = p->facts.egid, .size = 0 };
	int r = read_mode(p, mode, "uid,gid,size", &w);

	if (r < 0)
		return r;
	if (w.size > 0 && (w.size <= w.uid || w.size <= w.gid))
		return err_say(p->err, -EINVAL,
			       "--userns %.100s: size has to be above the uid %u and the gid %u",
			       mode, w.uid, w.gid);
	/* Root is mapped in any case: it sets the container up. */
	if (w.uid > id_ranges_total(&own->uids) || w.gid > id_ranges_total(&own->gids))
		return err_say(p->err, -ERANGE,
			       "--userns %.100s: the ids below %u:%u have to be mapped, too, and "
			       "there are %u:%u",
			       mode, w.uid, w.gid, id_ranges_total(&own->uids),
			       id_ranges_total(&own->gids));
	map_around(&m->uids, &own->uids, w.uid, p->facts.euid, w.size ? w.size : UINT32_MAX);
	map_around(&m->gids, &own->gids, w.gid, p->facts.egid, w.size ? w.size : UINT32_MAX);
	p->keeps_id = true;
	p->uid = w.uid;
	p->gid = w.gid;
	p->user_name = own->name;
	return 0;
}

static int map_own(struct people *p, const char *mode, struct maps *m)
{
	struct own_ids own;
	int r = own_ids_read(p, &own);

	if (r < 0)
		return r;
	p->own_id_only = id_ranges_total(&own.uids) == 0 || id_ranges_total(&own.gids) == 0;
	p->few_ids = p->own_id_only;
	if (!given(mode) || strcmp(mode, "private") == 0) {
		if (p->own_id_only)
			own.uids.n = own.gids.n = 0;
		map_around(&m->uids, &own.uids, 0, p->facts.euid, UINT32_MAX);
		map_around(&m->gids, &own.gids, 0, p->facts.egid, UINT32_MAX);
		return 0;
	}
	if (p->own_id_only)
		return own_ids_refuse(p, &own, mode);
	return strncmp(mode, "keep-id", 7) == 0 ? keep_id(p, mode, &own, m)
						: map_part(p, mode, &own, m);
}

/* ---- --uidmap and --gidmap ----------------------------------------------------------------------
 */

static int add_given(struct people *p, const char *flag, const struct spec_strings *list,
		     struct buf *b)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *rest, *inside = value_part(p->arena, list->v[i], ':', &rest);
		const char *outside = rest ? value_part(p->arena, rest, ':', &rest) : "";
		uint64_t a, o, n = 1;

		if (num_u64(inside, UINT32_MAX - 1, &a) < 0 ||
		    num_u64(outside, UINT32_MAX - 1, &o) < 0 ||
		    (rest && num_u64(rest, UINT32_MAX - 1, &n) < 0) || n == 0)
			return err_say(p->err, -EINVAL,
				       "--%s %.100s: expected INSIDE:OUTSIDE[:N], as in "
				       "0:100000:65536",
				       flag, list->v[i]);
		add_map(b, (uint32_t)a, (uint32_t)o, (uint32_t)n);
	}
	return 0;
}

static int map_given(struct people *p, struct maps *m)
{
	const struct spec_strings *uids = &p->flags->uid_maps, *gids = &p->flags->gid_maps;
	int r = add_given(p, "uidmap", uids->n > 0 ? uids : gids, &m->uids);

	return r < 0 ? r : add_given(p, "gidmap", gids->n > 0 ? gids : uids, &m->gids);
}

/* The group of terminals may be one that does not exist here. */
static int look_around(struct people *p)
{
	struct own_ids own;
	int r;

	if (p->userns || !p->facts.in_userns)
		return 0;
	r = own_ids_read(p, &own);
	p->few_ids = r == 0 && id_ranges_total(&own.gids) < TTY_GID;
	return r;
}

static int root_only(struct people *p, const char *mode)
{
	return err_say(p->err, -EINVAL,
		       "--userns %.100s: is for ordinary users; root's id is the host's", mode);
}

int run_ids(struct people *p)
{
	_cleanup_(maps_done) struct maps m = { 0 };
	const char *mode = p->flags->userns;
	int r = 0;

	if (!p->userns || p->joined_userns)
		return look_around(p);
	if (p->flags->uid_maps.n > 0 || p->flags->gid_maps.n > 0)
		r = map_given(p, &m);
	else if (p->facts.euid != 0 || p->facts.in_userns || !own_ids_may_map(p))
		r = map_own(p, mode, &m);
	else if (given(mode) && (strncmp(mode, "keep-id", 7) == 0 || strcmp(mode, "nomap") == 0))
		r = root_only(p, mode);
	else
		r = map_root_range(p, mode, &m);
	if (r < 0)
		return r;
	out_part(&p->linux, "uidMappings", '[', &m.uids);
	out_part(&p->linux, "gidMappings", '[', &m.gids);
	return 0;
}
