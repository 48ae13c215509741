/*
 * model.h - the meaning of a profile without BPF: tries the rules one by one, for each call anew.
 *
 * A second oracle beside libseccomp, which merges conditions on different arguments into one tree
 * and loses some of them on the way (2.5.4).
 */
#pragma once

#include "bpf.h"

#include "seccomp/compile.h"

struct model_entry {
	uint32_t nr;
	uint32_t selector; /* of socketcall or ipc; 0: none */
	const struct spec_seccomp_rule *rule;
	const struct spec_seccomp_arg *args; /* of the rule, or one of them */
	size_t n_args;
};

struct model {
	const struct spec_seccomp *spec;
	const struct seccomp_arch *arch;
	size_t n;
	struct model_entry *entries;
};

void model_make(const struct spec_seccomp *spec, const struct seccomp_arch *arch,
		struct arena *arena, struct model *ret);

/* Without the rule that turns the default into ENOSYS. */
uint32_t model_verdict(const struct model *m, const struct call *call);

/* Several rules for the call look at different arguments. */
bool model_is_tangled(const struct model *m, uint32_t nr);
