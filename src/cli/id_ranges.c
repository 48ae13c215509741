/*
 * id_ranges.c - see id_ranges.h.
 *
 * An ordinary user may map his own id, and with the help of newuidmap(1) the ranges that root gave
 * him in /etc/subuid and /etc/subgid. Whoever is root of a user namespace, as inside a container,
 * may map whatever is mapped there.
 */
#include "cli/id_ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "host/subid.h"
#include "sys/abi.h"

uint32_t id_ranges_total(const struct id_ranges *r)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].size;
	return n;
}

void id_ranges_skip(struct id_ranges *r, uint32_t n)
{
	for (size_t i = 0; i < r->n && n > 0; i++) {
		uint32_t part = r->v[i].size < n ? r->v[i].size : n;

		r->v[i].first += part;
		r->v[i].size -= part;
		n -= part;
	}
}

static void add_range(struct id_ranges *r, uint32_t first, uint32_t size)
{
	if (size > 0 && r->n < MAX_RANGES)
		r->v[r->n++] = (struct id_range){ first, size };
}

bool own_ids_may_map(const struct people *p)
{
	const uint64_t needed = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;

	return (p->facts.caps & needed) == needed;
}

/* ---- of an ordinary user ------------------------------------------------------------------------
 */

static bool in_path(struct people *p, const char *program)
{
	const char *dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (access(arena_printf(p->arena, "%s/%s", dirs[i], program), X_OK) == 0)
			return true;
	return false;
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

/* What must not be given to a container, or could not be mapped. `before` are the user's, too. */
static int check_range(struct people *p, const struct subid *file, const struct subid_range *r,
		       const struct id_ranges *before, uint32_t own)
{
	const uint64_t end = (uint64_t)r->first + r->size;

	if (r->first == 0)
		return err_say(p->err, -EPERM, "%s:%u: gives %s the id 0, which is the host's root",
			       file->path, r->line, r->owner);
	if (own >= r->first && own < end)
		return err_say(p->err, -EINVAL,
			       "%s:%u: %u to %u has the user's own id %u in it, which cannot be "
			       "mapped twice",
			       file->path, r->line, r->first, (uint32_t)(end - 1), own);
	for (size_t i = 0; i < before->n; i++)
		if (r->first < (uint64_t)before->v[i].first + before->v[i].size &&
		    before->v[i].first < end)
			return err_say(p->err, -EINVAL,
				       "%s:%u: %u to %u shares ids with %u to %u of a line before",
				       file->path, r->line, r->first, (uint32_t)(end - 1),
				       before->v[i].first,
				       before->v[i].first + before->v[i].size - 1);
	return 0;
}

static int read_file(struct people *p, const char *path, uint32_t own_id, struct own_ids *own,
		     struct id_ranges *ret)
{
	struct subid file;
	int r = subid_read(path, p->arena, &file, p->err);

	for (size_t i = 0; r == 0 && i < file.n; i++) {
		const struct subid_range *range = &file.v[i];

		if (!subid_is_of(range, own->name, p->facts.euid) || range->size == 0)
			continue;
		r = check_range(p, &file, range, ret, own_id);
		add_range(ret, range->first, range->size);
	}
	if (r == 0 && ret->n == 0)
		own->reason = file.n_wrong > 0
				  ? arena_printf(p->arena,
						 "%s:%u: is not in the form "
						 "NAME:FIRST:COUNT",
						 path, file.wrong[0])
				  : arena_printf(p->arena, "%s gives this user no ids", path);
	return r;
}

static int read_files(struct people *p, struct own_ids *own)
{
	int r;

	own->name = own_name(p);
	if (!own->name) {
		own->reason = "this user has no name in /etc/passwd, which newuidmap wants";
		return 0;
	}
	r = read_file(p, "/etc/subgid", p->facts.egid, own, &own->gids);
	if (r == 0)
		r = read_file(p, "/etc/subuid", p->facts.euid, own, &own->uids);
	if (in_path(p, "newuidmap") && in_path(p, "newgidmap"))
		return r;
	own->reason = "newuidmap or newgidmap is not installed";
	own->uids.n = own->gids.n = 0;
	return r;
}

/* ---- of root in a user namespace ----------------------------------------------------------------
 */

/* Without `own`, a range falls in two. */
static void add_without(struct id_ranges *ret, uint32_t first, uint32_t size, uint32_t own)
{
	if (own < first || own - first >= size) {
		add_range(ret, first, size);
		return;
	}
	add_range(ret, first, own - first);
	add_range(ret, own + 1, size - (own - first) - 1);
}

/* Lines of "inside outside size", with blanks in front of each. */
static int read_map(struct people *p, const char *path, uint32_t own, struct id_ranges *ret)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = people_read_host_file(path, &text);
	char *save = NULL;

	if (r < 0)
		return err_set(p->err, r, "read %s", path);
	for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *word = NULL;
		const char *first = strtok_r(line, " ", &word);
		const char *size = strtok_r(NULL, " ", &word) ? strtok_r(NULL, " ", &word) : NULL;
		uint64_t a, n;

		if (first && size && num_u64(first, UINT32_MAX, &a) == 0 &&
		    num_u64(size, UINT32_MAX, &n) == 0)
			add_without(ret, (uint32_t)a, (uint32_t)n, own);
	}
	return 0;
}

/* ---- either -------------------------------------------------------------------------------------
 */

int own_ids_read(struct people *p, struct own_ids *ret)
{
	int r;

	*ret =
	    (struct own_ids){ .reason = "one id is mapped in the user namespace that we are in" };
	/* In the first one all ids are mapped, and they are the host's. */
	if (!own_ids_may_map(p) || !p->facts.in_userns)
		return read_files(p, ret);
	r = read_map(p, "/proc/self/uid_map", p->facts.euid, &ret->uids);
	return r < 0 ? r : read_map(p, "/proc/self/gid_map", p->facts.egid, &ret->gids);
}

int own_ids_refuse(struct people *p, const struct own_ids *own, const char *mode)
{
	(void)err_say(p->err, -EPERM, "--userns %.100s: needs more ids than one's own: %s", mode,
		      own->reason);
	return p->facts.in_userns ? p->err->code : err_hint(p->err, SUBID_HINT);
}
