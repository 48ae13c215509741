/*
 * fixture.h - what the tests of single profiles share.
 */
#pragma once

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "bpf.h"
#include "seccomp/compile.h"

#define ERRNO(code) (SECCOMP_RET_ERRNO | (code))
#define BIT(cap)    (1ULL << (cap))

struct fixture {
	struct arena arena;
	struct spec_seccomp spec;
	struct seccomp_env env;
	struct seccomp_program program;
	struct err err;
	char unknown[256];
};

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->env.kernel_major = 6;
	f->env.kernel_minor = 18;
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_done(&f->arena);
	free(f);
	return 0;
}

static inline uint32_t answer(const struct fixture *f, uint32_t arch, uint32_t nr, uint64_t first)
{
	const struct call call = { .arch = arch, .nr = nr, .args = { first } };

	return bpf_run(f->program.insns, f->program.n, &call).action;
}

static inline uint32_t answer_to(const struct fixture *f, uint32_t nr, uint64_t first)
{
	return answer(f, AUDIT_ARCH_X86_64, nr, first);
}

static inline void remember_unknown(void *data, const char *name)
{
	char *text = data;

	(void)strncat(text, name, 200 - strlen(text));
	(void)strncat(text, " ", 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
