#include "seccomp/emit.h"

#include <string.h>

#define REACH 255U

static uint32_t put(struct emitter *e, struct sock_filter insn)
{
	if (e->n == e->room) {
		uint32_t room = e->room ? 2 * e->room : BPF_MAXINSNS / 8;
		struct sock_filter *insns =
		    room > BPF_MAXINSNS ? NULL : arena_array(e->arena, room, sizeof(*insns));

		if (!insns) {
			e->overflow = true;
			return 0;
		}
		if (e->n > 0)
			memcpy(insns, e->insns, e->n * sizeof(*insns));
		e->insns = insns;
		e->room = room;
	}
	e->insns[e->n] = insn;
	return e->n++;
}

uint32_t emit_ret(struct emitter *e, uint32_t action)
{
	return put(e, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static uint32_t distance(const struct emitter *e, uint32_t label)
{
	return e->n - label - 1;
}

static uint32_t emit_goto(struct emitter *e, uint32_t label)
{
	return put(e, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance(e, label)));
}

/* Moves the label to where a conditional jump that follows within `slack` instructions reaches it.
 */
static void bring_near(struct emitter *e, uint32_t *label, uint32_t slack)
{
	struct sock_filter insn;

	if (distance(e, *label) + slack <= REACH || e->overflow)
		return;
	insn = e->insns[*label];
	*label = BPF_CLASS(insn.code) == BPF_RET ? put(e, insn) : emit_goto(e, *label);
}

static uint32_t statement(struct emitter *e, uint16_t code, uint32_t k, uint32_t next)
{
	if (distance(e, next) != 0)
		(void)emit_goto(e, next);
	return put(e, (struct sock_filter)BPF_STMT(code, k));
}

uint32_t emit_load(struct emitter *e, uint32_t offset, uint32_t next)
{
	return statement(e, BPF_LD | BPF_W | BPF_ABS, offset, next);
}

uint32_t emit_and(struct emitter *e, uint32_t mask, uint32_t next)
{
	return statement(e, BPF_ALU | BPF_AND | BPF_K, mask, next);
}

uint32_t emit_jump(struct emitter *e, uint16_t op, uint32_t k, uint32_t *yes, uint32_t *no)
{
	struct sock_filter insn = BPF_JUMP((uint16_t)(BPF_JMP | op | BPF_K), k, 0, 0);

	bring_near(e, yes, 1); /* the other one may need an instruction too */
	bring_near(e, no, 0);
	insn.jt = (uint8_t)distance(e, *yes); /* at most REACH */
	insn.jf = (uint8_t)distance(e, *no);
	return put(e, insn);
}

void emit_finish(struct emitter *e)
{
	for (uint32_t i = 0; i < e->n / 2; i++) {
		struct sock_filter insn = e->insns[i];

		e->insns[i] = e->insns[e->n - 1 - i];
		e->insns[e->n - 1 - i] = insn;
	}
}
