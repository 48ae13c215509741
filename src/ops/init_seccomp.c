/*
 * init_seccomp.c - the filter, and the way of its notification descriptor to the agent.
 *
 * From the moment on that the filter is in force, every call of init may be refused, or may wait
 * for an agent that has not got its descriptor yet. So a thread that the filter does not cover is
 * made before, and sends the descriptor; init meanwhile makes no call at all and watches a shared
 * word.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>

#include "ops/init_process.h"
#include "sys/send_fd.h"
#include "sys/sys.h"

#define THREAD_STACK 4096

enum {
	COURIER_WAITS,
	COURIER_SENDS, /* fd is set */
	COURIER_DONE,
};

struct courier {
	uint32_t word;
	int socket, fd, result;
	const struct step_seccomp *step;
	char pid[12];
	char stack[THREAD_STACK] __attribute__((aligned(16)));
};

static void put_pid(char text[12], pid_t pid)
{
	char digits[12];
	size_t n = 0, i = 0;

	do
		digits[n++] = (char)('0' + pid % 10);
	while ((pid /= 10) > 0);
	while (n > 0)
		text[i++] = digits[--n];
	text[i] = '\0';
}

/* The kernel only reads it; an iovec has no const form. */
static struct iovec text_part(const char *text)
{
	return (struct iovec){ (void *)(uintptr_t)text, strlen(text) };
}

static int send_listener(struct courier *c)
{
	struct iovec part[] = {
		text_part(c->step->message_head),   text_part(c->pid),
		text_part(c->step->message_middle), text_part(c->pid),
		text_part(c->step->message_tail),
	};

	return sys_send_fd(c->socket, c->fd, part, (uint16_t)(sizeof(part) / sizeof(part[0])));
}

static void courier_main(void *arg)
{
	struct courier *c = arg;

	/* Init cannot wake us: its calls are filtered by now. So look every millisecond. */
	while (__atomic_load_n(&c->word, __ATOMIC_ACQUIRE) == COURIER_WAITS) {
		const struct {
			int64_t sec, nsec;
		} tick = { 0, 1000000 };

		(void)sys_call_4(SYS_futex, &c->word, FUTEX_WAIT, COURIER_WAITS, &tick);
	}
	c->result = c->fd < 0 ? c->fd : send_listener(c);
	__atomic_store_n(&c->word, COURIER_DONE, __ATOMIC_RELEASE);
	for (;;)
		(void)sys_call_1(SYS_exit, 0);
}

static int with_listener(const struct step_seccomp *s, struct op_ctx *ctx)
{
	struct courier c;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		.stack = (uintptr_t)c.stack,
		.stack_size = sizeof(c.stack),
	};
	long r;

	memset(&c, 0, sizeof(c));
	c.socket = ctx->fd[SLOT_LISTENER];
	c.step = s;
	put_pid(c.pid, ctx->pid);

	r = sys_spawn(&args, sizeof(args), courier_main, &c);
	if (r < 0)
		return (int)r;
	c.fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, s->flags | SECCOMP_FILTER_FLAG_NEW_LISTENER,
			   &s->prog);
	__atomic_store_n(&c.word, COURIER_SENDS, __ATOMIC_RELEASE);
	while (__atomic_load_n(&c.word, __ATOMIC_ACQUIRE) != COURIER_DONE)
		;
	if (c.fd < 0)
		return c.fd;
	return c.result < 0 ? op_note(ctx, PHASE_SEND, c.result, "the listener") : 0;
}

int init_seccomp(const struct step *s, struct op_ctx *ctx)
{
	if (s->seccomp.message_head)
		return with_listener(&s->seccomp, ctx);
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, s->seccomp.flags, &s->seccomp.prog);
}
