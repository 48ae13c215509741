#include "corpus.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "oracle.h"
#include "seccomp/syscalls.h"
#include "spec/read.h"

static const uint32_t actions[] = { SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS,
				    SECCOMP_RET_TRAP,        SECCOMP_RET_ERRNO,
				    SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_TRACE,
				    SECCOMP_RET_LOG,         SECCOMP_RET_ALLOW };

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

bool corpus_read(const char *path, struct arena *arena, struct spec_seccomp *ret)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct spec_source source = { .name = path };
	struct err err = { 0 };
	int r;

	if (fd < 0)
		return false;
	r = buf_read_fd(&text, fd, 1 << 20);
	source.text = buf_text(&text);
	source.len = text.len;
	if (r == 0)
		r = spec_read_seccomp(&source, arena, ret, &err);
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err.msg);
		exit(1);
	}
	return true;
}

static bool lists(const struct spec_strings *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], word) == 0)
			return true;
	return false;
}

static bool applies(const struct spec_seccomp_rule *rule, uint64_t caps, const char *arch)
{
	if (rule->includes.arches.n > 0 && !lists(&rule->includes.arches, arch))
		return false;
	return (rule->includes.caps & caps) == rule->includes.caps &&
	       (rule->excludes.caps & caps) == 0 && !lists(&rule->excludes.arches, arch);
}

void corpus_resolve(struct spec_seccomp *spec, uint64_t caps, const char *docker_arch)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_rules; i++) {
		struct spec_seccomp_rule *rule = &spec->rules[i];
		size_t names = 0;

		if (!applies(rule, caps, docker_arch))
			continue;
		for (size_t k = 0; k < rule->names.n; k++)
			if (oracle_knows(rule->names.v[k]))
				rule->names.v[names++] = rule->names.v[k];
		rule->names.n = names;
		rule->includes = (struct spec_seccomp_filter){ 0 };
		rule->excludes = (struct spec_seccomp_filter){ 0 };
		spec->rules[n++] = *rule;
	}
	spec->n_rules = n;
	for (size_t i = 0; i < spec->n_arch_map; i++)
		if (strncmp(spec->arch_map[i].architecture, "SCMP_ARCH_X86_64", 17) == 0 &&
		    strcmp(docker_arch, "amd64") == 0)
			spec->architectures = spec->arch_map[i].sub_architectures;
}

/* ---- random profiles ---------------------------------------------------------------------- */

struct random {
	uint32_t state;
	bool has_tangles;
	struct arena *arena;
};

static uint32_t below(struct random *r, uint32_t limit)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 17;
	r->state ^= r->state << 5;
	return r->state % limit;
}

static uint64_t random_value(struct random *r)
{
	static const uint64_t values[] = { 0,
					   1,
					   2,
					   3,
					   9,
					   16,
					   0x7e020000,
					   0x7fffffff,
					   0x80000000,
					   0xffffffff,
					   0x100000000,
					   0x100000001,
					   0x1ffffffff,
					   0x200000000,
					   0x7fffffffffffffff,
					   0x8000000000000000,
					   0xffffffff00000000,
					   0xfffffffffffffffe,
					   0xffffffffffffffff };

	return values[below(r, sizeof(values) / sizeof(values[0]))];
}

static char *random_name(struct random *r)
{
	const char *name;

	do {
		name = syscall_row_name((int)below(r, 500));
	} while (!name || !oracle_knows(name));
	return arena_strndup(r->arena, name, strlen(name));
}

static void random_args(struct random *r, struct spec_seccomp_rule *rule, uint32_t first,
			uint32_t n)
{
	rule->n_args = n;
	rule->args = arena_array(r->arena, rule->n_args, sizeof(*rule->args));
	for (uint32_t i = 0; i < rule->n_args; i++) {
		struct spec_seccomp_arg *arg = &rule->args[i];

		*arg = (struct spec_seccomp_arg){
			.index = (first + i) % 6,
			.op = 1 + below(r, 7),
			.value = random_value(r),
		};
		if (arg->op == 7)
			arg->value_two = random_value(r) & arg->value;
		if (!r->has_tangles && n > 1)
			arg->op = 4;
	}
	/* Now and then, two conditions on the same argument: either of them. */
	if (r->has_tangles && rule->n_args == 2 && below(r, 8) == 0)
		rule->args[1].index = first;
}

/*
 * libseccomp 2.5.4 refuses two rules with the same conditions (behind socketcall and ipc, all rules
 * for a call have the same one), and answers some with the default that overlap (a <= 9, a <= 16)
 * or that compare several arguments with more than equality.
 */
static bool is_taken(const struct spec_seccomp *spec, const char *name)
{
	int row = syscall_row(name);
	bool is_multiplexed = syscall_socketcall(row) || syscall_ipc(row);

	if (strcmp(name, "socketcall") == 0 || strcmp(name, "ipc") == 0)
		return true;

	for (size_t i = 0; i <= spec->n_rules; i++)
		if ((is_multiplexed || spec->rules[i].n_args > 0 || i == spec->n_rules) &&
		    lists(&spec->rules[i].names, name))
			return true;
	return false;
}

/* Equality with different values of 32 bits: it also loses those that differ in their upper halves.
 */
static void make_distinct(struct spec_seccomp_arg *first, struct spec_seccomp_arg *other,
			  uint32_t number)
{
	first->op = other->op = 4;
	first->value &= 0xffff0000;
	other->value = (other->value & 0xffff0000) | number;
}

static void random_rule(struct random *r, struct spec_seccomp *spec)
{
	struct spec_seccomp_rule *rule = &spec->rules[spec->n_rules];
	uint32_t n = 1 + below(r, below(r, 4) == 0 ? 150 : 6), first = below(r, 6);

	rule->action = actions[below(r, ACTIONS)];
	rule->errno_ret = (struct opt_u64){ below(r, 2) == 0, below(r, 134) };
	rule->names.v = arena_array(r->arena, n, sizeof(char *));
	for (uint32_t i = 0; i < n; i++) {
		char *name = random_name(r);

		if (r->has_tangles || !is_taken(spec, name))
			rule->names.v[rule->names.n++] = name;
	}
	spec->n_rules++;
	if (below(r, 3) != 0)
		return;
	random_args(r, rule, first, r->has_tangles ? 1 + below(r, 3) : below(r, 2) * 2 + 1);
	/* More of them, as in the rules for socket and personality. */
	for (uint32_t more = below(r, 6); more > 0; more--) {
		struct spec_seccomp_rule *next = &spec->rules[spec->n_rules];

		if (!r->has_tangles && rule->n_args > 1)
			break;
		*next = *rule;
		if (r->has_tangles)
			next->action = actions[below(r, ACTIONS)];
		random_args(r, next, r->has_tangles ? below(r, 6) : first,
			    r->has_tangles ? 1 + below(r, 3) : 1);
		if (!r->has_tangles)
			make_distinct(&rule->args[0], &next->args[0], more);
		spec->n_rules++;
	}
}

void corpus_random(uint32_t seed, const char *const *arches, bool has_tangles, struct arena *arena,
		   struct spec_seccomp *ret)
{
	struct random r = { seed * 2654435761U + 1, has_tangles, arena };
	uint32_t rules = 1 + below(&r, 12);

	*ret = (struct spec_seccomp){
		.has = true,
		.default_action = actions[below(&r, ACTIONS)],
		.default_errno_ret = { below(&r, 2) == 0, below(&r, 134) },
		.architectures.v = arena_array(arena, 8, sizeof(char *)),
		.rules = arena_array(arena, (size_t)rules * 8, sizeof(*ret->rules)),
	};
	/* libseccomp 2.5 refuses to notify by default. */
	if (ret->default_action == SECCOMP_RET_USER_NOTIF)
		ret->default_action = SECCOMP_RET_ERRNO;
	for (size_t i = 0; arches[i]; i++)
		if (below(&r, 2) == 0)
			ret->architectures.v[ret->architectures.n++] =
			    arena_strndup(arena, arches[i], strlen(arches[i]));
	for (uint32_t i = 0; i < rules; i++)
		random_rule(&r, ret);
}
