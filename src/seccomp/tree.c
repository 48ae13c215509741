#include "seccomp/tree.h"

#include <stdbool.h>
#include <string.h>

#include "seccomp/chain.h"

void ranges_add(struct ranges *r, uint32_t start, struct target *target)
{
	if (r->n > 0 && r->v[r->n - 1].target == target)
		return;
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 128;
		struct range *v = arena_array(r->arena, room, sizeof(*v));

		if (!v)
			return; /* the arena remembers */
		if (r->n > 0)
			memcpy(v, r->v, r->n * sizeof(*v));
		r->v = v;
		r->room = room;
	}
	r->v[r->n++] = (struct range){ start, target };
}

static uint32_t *place(struct emitter *e, struct target *t)
{
	if (t->label != LABEL_NONE)
		return &t->label;
	switch (t->kind) {
	case TARGET_RET:
		t->label = emit_ret(e, t->action);
		break;
	case TARGET_CHAIN:
		t->label = chain_emit(e, t->chain);
		break;
	case TARGET_EXCEPT:
		t->label = emit_jump(e, BPF_JEQ, t->value, place(e, t->hit), place(e, t->miss));
		break;
	case TARGET_CODE:
		break;
	}
	return &t->label;
}

static bool is_hole(const struct range *r)
{
	return r[0].target == r[2].target && r[2].start - r[1].start == 1;
}

/*
 * One value in the midst of another range ("all of these but ptrace") needs one instruction instead
 * of two. In docker's profile that is a quarter of the program.
 */
static void fold_holes(struct ranges *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++, n++) {
		struct target *except;

		r->v[n] = r->v[i];
		if (i + 2 >= r->n || !is_hole(&r->v[i]))
			continue;
		except = arena_alloc(r->arena, sizeof(*except));
		if (!except)
			return;
		*except = (struct target){ .kind = TARGET_EXCEPT,
					   .label = LABEL_NONE,
					   .value = r->v[i + 1].start,
					   .hit = r->v[i + 1].target,
					   .miss = r->v[i].target };
		r->v[n].target = except;
		i += 2;
	}
	r->n = n;
}

/* Half of the ranges on either side: the kernel runs the program once for each call when it loads
 * it. */
static uint32_t *subtree(struct emitter *e, const struct range *v, size_t n, uint32_t *own)
{
	uint32_t left_label, right_label, *left, *right;

	if (n == 1)
		return place(e, v[0].target);
	right = subtree(e, v + n / 2, n - n / 2, &right_label);
	left = subtree(e, v, n / 2, &left_label);
	*own = emit_jump(e, BPF_JGE, v[n / 2].start, right, left);
	return own;
}

uint32_t tree_emit(struct emitter *e, struct ranges *r)
{
	uint32_t own;

	fold_holes(r);
	return r->n > 0 ? *subtree(e, r->v, r->n, &own) : 0;
}
