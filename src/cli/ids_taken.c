/*
 * ids_taken.c - see ids_taken.h.
 */
#include "cli/ids_taken.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "state/state.h"

/* Lines of "inside outside size". */
static void add_map(struct buf *taken, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct id_range r;

		if (sscanf(line, "%*u %u %u", &r.first, &r.size) == 2)
			buf_add(taken, &r, sizeof(r));
	}
}

static void add_container(struct people *p, const char *id, struct buf *taken)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct state state = { .pid = 0 };
	struct err ignored;
	_cleanup_close_ int dir = state_open(p->state_root, id, false, &ignored);

	if (dir < 0 || state_read(dir, id, p->arena, &state, &ignored) < 0 || state.pid == 0 ||
	    state_status(dir, &state) == STATE_STOPPED)
		return;
	if (people_read_host_file(arena_printf(p->arena, "/proc/%d/uid_map", state.pid), &text) ==
		0 &&
	    text.data)
		add_map(taken, text.data);
}

int ids_taken_read(struct people *p, struct buf *taken)
{
	struct spec_strings ids = { 0 };
	int r = 0;

	if (!p->for_plan) {
		p->ids_lock = state_lock_root(p->state_root, p->err);
		r = p->ids_lock < 0 ? p->ids_lock : 0;
	}
	if (r == 0)
		r = state_list(p->state_root, p->arena, &ids, p->err);
	for (size_t i = 0; i < ids.n && r == 0; i++)
		add_container(p, ids.v[i], taken);
	return r == 0 && taken->failed ? err_set(p->err, -ENOMEM, "look for free ids") : r;
}

bool ids_taken_has(const struct buf *taken, const struct id_range *wanted)
{
	const struct id_range *v = (const void *)taken->data;

	for (size_t i = 0; i < taken->len / sizeof(*v); i++)
		if (wanted->first < (uint64_t)v[i].first + v[i].size &&
		    v[i].first < (uint64_t)wanted->first + wanted->size)
			return true;
	return false;
}
