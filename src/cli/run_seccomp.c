/*
 * run_seccomp.c - --security-opt seccomp=…: a profile by name or file, changed by name of calls.
 *
 * Profiles have conditions (for a capability, an architecture, a kernel); config.json has not. They
 * are settled here, as an engine does it.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/json_out.h"
#include "cli/people.h"
#include "seccomp/arch.h"
#include "seccomp/edit.h"
#include "seccomp/render.h"

/* ---- how much is allowed, for the summary ------------------------------------------------------
 */

static bool lets_pass(uint32_t action)
{
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

/* Also with some arguments only. */
static bool is_allowed(const struct spec_seccomp *s, const char *call)
{
	for (size_t i = 0; i < s->n_rules; i++)
		for (size_t k = 0; k < s->rules[i].names.n; k++)
			if (strcmp(s->rules[i].names.v[k], call) == 0)
				return lets_pass(s->rules[i].action);
	return lets_pass(s->default_action);
}

static void count_calls(struct people *p, const struct spec_seccomp *s)
{
	for (int row = 0; syscall_row_name(row); row++) {
		if (syscall_offset(row, arch_native()->table) == SYSCALL_NONE)
			continue;
		p->n_calls_known++;
		p->n_calls += is_allowed(s, syscall_row_name(row));
	}
}

/* ---- the flag -----------------------------------------------------------------------------------
 */

/* The last one counts; a profile for a privileged container has to be asked for. */
static const char *find_option(const struct people *p)
{
	const struct spec_strings *opts = &p->flags->security_opts;
	size_t first = p->flags->privileged ? p->flags->preset_security_opts : 0;

	for (size_t i = opts->n; i > first; i--) {
		const char *value = opts->v[i - 1];

		if (strncmp(value, "seccomp=", 8) == 0 || strncmp(value, "seccomp:", 8) == 0)
			return value + 8;
	}
	return p->flags->privileged ? "unconfined" : "default";
}

/* docker's word for its own, and ours for what is in force when nothing is said. */
static const char *our_name(const char *text)
{
	if (strcmp(text, "auto") == 0)
		return "default";
	return strcmp(text, "builtin") == 0 ? "docker-default" : text;
}

/* "seccomp: +ptrce: …" */
static int reword(struct err *err)
{
	const char prefix[] = "seccomp: ";
	const size_t len = sizeof(prefix) - 1;

	if (strncmp(err->msg, prefix, len) == 0)
		memmove(err->msg, err->msg + len, strlen(err->msg + len) + 1);
	return err_prefix(err, "--security-opt seccomp");
}

int run_seccomp(struct people *p)
{
	const struct seccomp_env env = { .caps = p->caps,
					 .kernel_major = p->facts.kernel_major,
					 .kernel_minor = p->facts.kernel_minor };
	struct spec_seccomp profile, flat = { 0 };
	bool unconfined = false;
	int r;

	p->seccomp_name = our_name(find_option(p));
	r = profile_resolve(p->seccomp_name, p->arena, &profile, &unconfined, p->err);
	p->no_seccomp = unconfined;
	if (r == 0 && !unconfined)
		r = profile_flatten(&profile, &env, p->arena, &flat, p->err);
	if (r < 0)
		return reword(p->err);
	if (unconfined)
		return 0;
	out_key(&p->linux, "seccomp");
	profile_render_json(&flat, &p->linux);
	if (p->wants_summary)
		count_calls(p, &flat);
	return 0;
}
