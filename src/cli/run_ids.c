/*
 * run_ids.c - id mappings of a new user namespace, with the words of podman's --userns.
 *
 * An ordinary user may map his own id alone, or with newuidmap the ranges that /etc/subuid gives
 * him. Root takes a range that follows from the container's name, out of the numbers that systemd
 * keeps for containers, so that two containers seldom share one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/json_out.h"
#include "cli/people.h"
#include "host/subid.h"
#include "sys/abi.h"

#define RANGE_SIZE  65536U
#define RANGE_FIRST 0x80000U /* systemd's UIDS-GIDS.md: 524288 to 1879048191 */
#define RANGE_COUNT 28664U
#define MAX_RANGES  16

struct range {
	uint32_t first, size;
};

struct ranges {
	size_t n;
	struct range v[MAX_RANGES];
};

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
static uint32_t add_from(struct buf *b, struct ranges *from, uint32_t inside, uint32_t size)
{
	uint32_t done = 0;

	for (size_t i = 0; i < from->n && done < size; i++) {
		struct range *r = &from->v[i];
		uint32_t n = r->size < size - done ? r->size : size - done;

		add_map(b, inside + done, r->first, n);
		r->first += n;
		r->size -= n;
		done += n;
	}
	return done;
}

static uint32_t total(const struct ranges *r)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].size;
	return n;
}

/* ---- what an ordinary user has ------------------------------------------------------------------
 */

static bool in_path(struct people *p, const char *program)
{
	const char *dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (access(arena_printf(p->arena, "%s/%s", dirs[i], program), X_OK) == 0)
			return true;
	return false;
}

static int read_ranges(struct people *p, const char *path, const char *user, struct ranges *ret)
{
	struct subid file;
	int r = subid_read(path, p->arena, &file, p->err);

	if (r < 0)
		return r;
	ret->n = 0;
	for (size_t i = 0; i < file.n && ret->n < MAX_RANGES; i++)
		if (subid_is_of(&file.v[i], user, p->facts.euid))
			ret->v[ret->n++] = (struct range){ file.v[i].first, file.v[i].size };
	return 0;
}

static const char *own_name(struct people *p)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct people_entry entry;

	if (people_read_host_file("/etc/passwd", &text) == 0 &&
	    people_find_user(p->arena, buf_text(&text), NULL, p->facts.euid, &entry))
		return entry.name;
	/* Of a directory service: newuidmap asks that itself, and looks for the name in subuid. */
	return given(getenv("USER")) ? getenv("USER") : NULL;
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

static void map_root_range(struct people *p, struct maps *m)
{
	uint32_t first = RANGE_FIRST + RANGE_SIZE * (hash(p->id) % RANGE_COUNT);

	add_map(&m->uids, 0, first, RANGE_SIZE);
	add_map(&m->gids, 0, first, RANGE_SIZE);
}

/* "keep-id" or "keep-id:uid=1000,gid=1000": the ids that we are seen with. */
static int keep_id(struct people *p, const char *mode, uint32_t *uid, uint32_t *gid)
{
	const char *rest = mode[7] == ':' ? mode + 8 : NULL;

	*uid = p->facts.euid;
	*gid = p->facts.egid;
	while (rest) {
		const char *word = value_part(p->arena, rest, ',', &rest);
		bool is_gid = strncmp(word, "gid=", 4) == 0;
		uint64_t id;

		if ((!is_gid && strncmp(word, "uid=", 4) != 0) ||
		    num_u64(word + 4, RANGE_SIZE - 1, &id) < 0)
			return err_say(p->err, -EINVAL,
				       "--userns %.100s: expected keep-id:uid=N,gid=N with numbers "
				       "below %u",
				       mode, RANGE_SIZE);
		*(is_gid ? gid : uid) = (uint32_t)id;
	}
	return 0;
}

static void map_around(struct buf *b, struct ranges *r, uint32_t inside, uint32_t own)
{
	uint32_t below = add_from(b, r, 0, inside);

	add_map(b, inside, own, 1);
	if (below == inside)
		(void)add_from(b, r, inside + 1, UINT32_MAX - inside - 1);
}

static int need_ranges(struct people *p, const char *mode)
{
	(void)err_say(p->err, -EPERM,
		      "--userns %.100s: this user has no range of ids in /etc/subuid and "
		      "/etc/subgid, or newuidmap is missing",
		      mode);
	return err_hint(p->err, SUBID_HINT);
}

static int map_ordinary(struct people *p, const char *mode, struct maps *m)
{
	struct ranges uids = { 0 }, gids = { 0 };
	const char *name = own_name(p);
	uint32_t uid = 0, gid = 0;
	int r = 0;

	/* newuidmap serves nobody without a name. */
	if (name && in_path(p, "newuidmap") && in_path(p, "newgidmap")) {
		r = read_ranges(p, "/etc/subuid", name, &uids);
		if (r == 0)
			r = read_ranges(p, "/etc/subgid", name, &gids);
	}
	if (r < 0)
		return r;
	p->own_id_only = total(&uids) == 0 || total(&gids) == 0;
	if (!given(mode) || strcmp(mode, "private") == 0) {
		if (p->own_id_only)
			uids.n = gids.n = 0;
		map_around(&m->uids, &uids, 0, p->facts.euid);
		map_around(&m->gids, &gids, 0, p->facts.egid);
		return 0;
	}
	if (p->own_id_only)
		return need_ranges(p, mode);
	if (strncmp(mode, "keep-id", 7) != 0) {
		(void)add_from(&m->uids, &uids, 0, RANGE_SIZE);
		(void)add_from(&m->gids, &gids, 0, RANGE_SIZE);
		return 0;
	}
	r = keep_id(p, mode, &uid, &gid);
	map_around(&m->uids, &uids, uid, p->facts.euid);
	map_around(&m->gids, &gids, gid, p->facts.egid);
	p->keeps_id = true;
	p->uid = uid;
	p->gid = gid;
	p->user_name = name;
	return r;
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

int run_ids(struct people *p)
{
	const uint64_t needed = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;
	_cleanup_(maps_done) struct maps m = { 0 };
	const char *mode = p->flags->userns;
	int r = 0;

	if (!p->userns || p->joined_userns)
		return 0;
	if (p->flags->uid_maps.n > 0 || p->flags->gid_maps.n > 0)
		r = map_given(p, &m);
	else if (p->facts.euid != 0 || (p->facts.caps & needed) != needed)
		r = map_ordinary(p, mode, &m);
	else if (given(mode) && strncmp(mode, "keep-id", 7) == 0)
		r = err_say(p->err, -EINVAL,
			    "--userns keep-id: is for ordinary users; root's id is the host's");
	else
		map_root_range(p, &m);
	if (r < 0)
		return r;
	out_part(&p->linux, "uidMappings", '[', &m.uids);
	out_part(&p->linux, "gidMappings", '[', &m.gids);
	return 0;
}
