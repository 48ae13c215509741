/*
 * test_lint.c - what `profile lint` finds, each in a profile that has only that, and what
 * `profile show` and `profile diff` say of a profile.
 */
#include "fixture.h"

#include <linux/capability.h>

#include "seccomp/edit.h"
#include "seccomp/lint.h"
#include "seccomp/profile.h"
#include "seccomp/table.h"
#include "spec/read.h"

#define NAMES(names, action) "{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\"}"
#define OPEN(rules)                                                                                \
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\","           \
	"\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":[" rules "]}"
#define CLOSED(rules)                                                                              \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\","           \
	"\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":[" rules "]}"
#define ARG(index, value, op)                                                                      \
	"{\"index\":" #index ",\"value\":" #value ",\"op\":\"SCMP_CMP_" op "\"}"
#define WITH_ARGS(name, action, args)                                                              \
	"{\"names\":[\"" name "\"],\"action\":\"SCMP_ACT_" action "\",\"args\":[" args "]}"

static void lint(struct fixture *f, const char *json, struct buf *out)
{
	struct spec_source source = { .name = "p.json", .text = json, .len = strlen(json) };
	struct json_doc doc;
	struct lint found;

	f->env.native = arch_find("SCMP_ARCH_X86_64");
	if (spec_read_seccomp(&source, &f->arena, &f->spec, &f->err) < 0 ||
	    lint_profile(&f->spec, &f->env, &f->arena, &found, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	assert_int_equal(json_parse(&doc, "p.json", json, source.len, &f->arena, &f->err), 0);
	out->len = 0;
	for (size_t i = 0; i < found.n; i++)
		lint_say(&found.v[i], &doc, out);
}

static void finds(struct fixture *f, const char *json, const char *expected)
{
	_cleanup_buf_ struct buf out = { 0 };

	lint(f, json, &out);
	if (!strstr(buf_text(&out), expected))
		fail_msg("not found: %s\n%s", expected, buf_text(&out));
}

static void finds_no(struct fixture *f, const char *json, const char *unexpected)
{
	_cleanup_buf_ struct buf out = { 0 };

	lint(f, json, &out);
	if (strstr(buf_text(&out), unexpected))
		fail_msg("found: %s\n%s", unexpected, buf_text(&out));
}

/* ---- findings ----------------------------------------------------------------------------- */

static void calls_without_which_nothing_runs(void **state)
{
	struct fixture *f = *state;

	finds(f, CLOSED(NAMES("\"read\"", "ALLOW")), "execve is denied: the container's program");
	finds(f, OPEN(NAMES("\"read\",\"rt_sigreturn\"", "ERRNO")),
	      "p.json:1:133: warning: syscalls[0].names[1]: rt_sigreturn is denied");
	finds(f, OPEN(NAMES("\"set_tid_address\"", "KILL")), "[libc]");
	finds_no(f, OPEN(NAMES("\"ptrace\"", "ERRNO")), "[libc]");
	finds_no(f, OPEN(WITH_ARGS("clone", "ERRNO", ARG(0, 5, "EQ"))), "[libc]");
}

static void eperm_where_enosys_is_waited_for(void **state)
{
	struct fixture *f = *state;

	finds(f, OPEN(NAMES("\"clone3\"", "ERRNO")), "clone3 is tried by glibc since 2.34");
	finds(f, OPEN(NAMES("\"close_range\"", "KILL")), "the attempt kills");
	finds(f, CLOSED(NAMES("\"read\",\"mseal\"", "ALLOW")), "statx is tried by");
	finds_no(f, OPEN("{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}"),
		 "[probe]");
	/* Newer than all that the profile knows: ENOSYS. */
	finds_no(f, CLOSED(NAMES("\"read\"", "ALLOW")), "statx is tried by");
}

static void lists_of_what_is_denied(void **state)
{
	struct fixture *f = *state;

	finds(f, OPEN(NAMES("\"ptrace\"", "ERRNO")), "p.json:1:18: warning: defaultAction: lets");
	finds(f, "{\"defaultAction\":\"SCMP_ACT_LOG\"}", "[default]");
	finds_no(f, CLOSED(NAMES("\"read\"", "ALLOW")), "[default]");
}

static void twins_of_denied_calls(void **state)
{
	struct fixture *f = *state;

	finds(f, OPEN(NAMES("\"chmod\",\"fchmod\",\"fchmodat\"", "ERRNO")),
	      "chmod is denied, but fchmodat2 is not");
	finds(f, OPEN(NAMES("\"open\",\"openat\",\"creat\"", "ERRNO")),
	      "open is denied, but openat2 is not");
	finds(f,
	      CLOSED(NAMES("\"clone3\"", "ALLOW") "," WITH_ARGS("clone", "ALLOW",
								ARG(0, 2114060288, "MASKED_EQ"))),
	      "clone is denied for some arguments, but clone3 is not");
	finds(f, OPEN(NAMES("\"unshare\"", "ERRNO")), "unshare is denied, but clone is not");
	finds(f, OPEN(NAMES("\"ptrace\"", "ERRNO")), "ptrace is denied, but process_vm_readv");
	finds_no(f, OPEN(NAMES("\"chmod\",\"fchmod\",\"fchmodat\",\"fchmodat2\"", "ERRNO")),
		 "[twin]");
	/* Nobody said that open must not be. */
	finds_no(f, CLOSED(NAMES("\"openat\"", "ALLOW")), "[twin]");
}

static void io_uring_goes_past_the_filter(void **state)
{
	struct fixture *f = *state;

	finds(f, OPEN(NAMES("\"socket\",\"connect\"", "ERRNO")),
	      "warning: no filter sees what is done through io_uring, where these denied calls are "
	      "possible: connect, socket");
	finds(f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", "note: no filter sees");
	finds_no(f, OPEN(NAMES("\"socket\",\"io_uring_setup\"", "ERRNO")), "[io_uring]");
}

static void other_architectures_are_a_way_around(void **state)
{
	struct fixture *f = *state;

	finds(f, OPEN(NAMES("\"chown\"", "ERRNO")),
	      "chown is denied, but programs of x86 can call chown32");
	finds(f, OPEN(NAMES("\"clock_settime\"", "ERRNO")), "clock_settime64: name it, too");
	finds_no(f, OPEN(NAMES("\"chown\",\"chown32\"", "ERRNO")), "[architecture]");
	finds(f,
	      CLOSED(NAMES("\"socketcall\",\"bind\"", "ALLOW") "," WITH_ARGS("socket", "ALLOW",
									     ARG(0, 1, "EQ"))),
	      "note: syscalls[0].names[0]: the conditions on socket do not hold behind socketcall "
	      "of x86");
	finds(f,
	      OPEN(NAMES("\"socket\",\"semget\"", "ERRNO") "," NAMES("\"ipc\",\"socketcall\"",
								     "LOG")),
	      "calls that are denied through ipc: semget;");
	finds_no(f, OPEN(NAMES("\"socket\",\"semget\"", "ERRNO")), "[multiplexed]");
	finds(f, "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", "x32 is not listed");
	finds_no(f, CLOSED(NAMES("\"read\"", "ALLOW")), "not listed");
}

static void rules_without_effect(void **state)
{
	struct fixture *f = *state;

	finds(f, CLOSED(NAMES("\"bpf\"", "ALLOW") "," NAMES("\"read\",\"bpf\"", "KILL")),
	      "syscalls[1].names[1]: this rule for bpf has no effect: syscalls[0] decides with "
	      "SCMP_ACT_ALLOW");
	/* What looks like a denial is skipped. */
	finds(f, CLOSED(NAMES("\"bpf\"", "ERRNO") "," NAMES("\"bpf\"", "ALLOW")),
	      "syscalls[0].names[0]: this rule for bpf has no effect beside syscalls[1]");
	finds(f, CLOSED(WITH_ARGS("bpf", "KILL", ARG(0, 5, "EQ")) "," NAMES("\"bpf\"", "ALLOW")),
	      "syscalls[0].names[0]: this rule for bpf has no effect: syscalls[1]");
	finds(f, CLOSED(NAMES("\"bpf\",\"bpf\"", "ALLOW") "," NAMES("\"bpf\"", "ALLOW")),
	      "note: syscalls[1].names[0]: bpf is decided by syscalls[0] already");
	finds_no(f, CLOSED(NAMES("\"bpf\"", "ALLOW") "," NAMES("\"keyctl\"", "ERRNO")),
		 "[unreached]");
}

static void names_that_mean_nothing(void **state)
{
	struct fixture *f = *state;

	finds(f, CLOSED(NAMES("\"raed\"", "ALLOW")), "did you mean read?");
	finds(f, CLOSED(NAMES("\"frobnicate_it\"", "ALLOW")),
	      "\"frobnicate_it\" is the name of no system call, so nothing is said about any [");
	finds(f,
	      CLOSED("{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":"
		     "[\"amd46\"]}}"),
	      "syscalls[0].includes.arches[0]: no host is called \"amd46\"");
}

static void conditions_that_are_none(void **state)
{
	struct fixture *f = *state;

	finds(f, CLOSED(WITH_ARGS("close", "ALLOW", ARG(0, 0, "LT"))), "never holds");
	finds(f, CLOSED(WITH_ARGS("close", "ALLOW", ARG(0, 18446744073709551615, "GT"))),
	      "never holds");
	finds(f,
	      CLOSED(WITH_ARGS("close", "ALLOW",
			       "{\"index\":0,\"value\":4,\"valueTwo\":3,\"op\":"
			       "\"SCMP_CMP_MASKED_EQ\"}")),
	      "never holds: valueTwo has bits");
	finds(f, CLOSED(WITH_ARGS("close", "ALLOW", ARG(0, 0, "GE"))), "always holds");
	finds(f, CLOSED(WITH_ARGS("close", "ALLOW", ARG(1, 3, "GT") "," ARG(1, 9, "LT"))),
	      "another condition on argument 1");
	finds_no(f, CLOSED(WITH_ARGS("close", "ALLOW", ARG(0, 3, "GT") "," ARG(1, 9, "LT"))),
		 "[condition]");
}

/* CVE-2019-10063: 0x100005412 is TIOCSTI for the kernel. The filter that we make shows it. */
static void conditions_on_bits_that_the_kernel_ignores(void **state)
{
	static const char tiocsti[] = OPEN(WITH_ARGS("ioctl", "ERRNO", ARG(1, 21522, "EQ")));
	static const char masked[] =
	    OPEN(WITH_ARGS("ioctl", "ERRNO",
			   "{\"index\":1,\"value\":4294967295,\"valueTwo\":21522,\"op\":"
			   "\"SCMP_CMP_MASKED_EQ\"}"));
	struct call call = { .arch = AUDIT_ARCH_X86_64, .nr = SYS_ioctl };
	struct fixture *f = *state;

	call.args[1] = 0x100005412;
	finds(f, tiocsti,
	      "argument 1 of ioctl is an int: with upper bits set, the denial does not");
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
	assert_int_equal(bpf_run(f->program.insns, f->program.n, &call).action, SECCOMP_RET_ALLOW);
	finds_no(f, masked, "[width]");
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
	assert_int_equal(bpf_run(f->program.insns, f->program.n, &call).action, ERRNO(EPERM));

	finds(f, CLOSED(WITH_ARGS("socket", "ALLOW", ARG(0, 40, "NE"))), "any value is allowed");
	finds_no(f, CLOSED(WITH_ARGS("socket", "ALLOW", ARG(0, 1, "EQ"))), "[width]");
	finds(f, OPEN(WITH_ARGS("clone3", "ERRNO", ARG(0, 5, "EQ"))),
	      "argument 0 of clone3 is an address");
}

/* Our own profiles are clean, but for what the README of data/seccomp says of them. */
static void built_in_profiles_have_no_warnings(void **state)
{
	static const uint64_t caps[] = { 0, BIT(CAP_SYS_ADMIN), ~0ULL };
	struct fixture *f = *state;
	struct lint found;

	f->env.native = arch_find("SCMP_ARCH_X86_64");
	for (unsigned int i = 0; profile_at(i); i++)
		for (size_t c = 0; c < sizeof(caps) / sizeof(caps[0]); c++) {
			f->env.caps = caps[c];
			assert_int_equal(
			    profile_read(profile_at(i)->name, &f->arena, &f->spec, &f->err), 0);
			assert_int_equal(
			    lint_profile(&f->spec, &f->env, &f->arena, &found, &f->err), 0);
			for (size_t k = 0; k < found.n; k++)
				if (!found.v[k].is_note)
					fail_msg("%s: %s", found.v[k].path, found.v[k].text);
		}
}

/* ---- tables and differences --------------------------------------------------------------- */

static void survey(struct fixture *f, const char *text, struct survey *ret)
{
	bool unconfined;

	f->env.native = arch_find("SCMP_ARCH_X86_64");
	if (profile_resolve(text, &f->arena, &f->spec, &unconfined, &f->err) < 0 ||
	    survey_make(&f->spec, &f->env, &f->arena, ret, &f->err) < 0)
		fail_msg("%s", f->err.msg);
}

static void a_table_tells_verdicts_and_their_capabilities(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf out = { 0 };
	struct survey s;

	survey(f, "default", &s);
	assert_int_equal(profile_table(&s, &f->arena, &out, &f->err), 0);
	assert_non_null(strstr(out.data, "x86_64\n  allowed ("));
	assert_non_null(strstr(out.data, "  EPERM; with CAP_SYS_ADMIN or CAP_BPF: allowed (1)\n"
					 "    bpf\n"));
	assert_non_null(strstr(out.data, "clone                allowed if arg0 & 0x7e020000 = 0, "
					 "else EPERM; with CAP_SYS_ADMIN: allowed\n"));
	assert_non_null(strstr(out.data, "  ENOSYS; with CAP_SYS_ADMIN: allowed (1)\n"
					 "    clone3\n"));
	assert_non_null(strstr(out.data, "\nx86, where it differs"));
	assert_non_null(strstr(out.data, " umount\n"));
	assert_non_null(strstr(out.data, "newer than the profile: ENOSYS"));
	assert_non_null(strstr(out.data, "other architectures: kills the thread"));
	for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100 || strstr(line, " if arg"));
}

/* Each call is in the table once; the words are those of the filter. */
static void a_table_agrees_with_the_filter(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = { 0 };
	struct survey s;

	survey(f, "docker-default", &s);
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
	for (size_t a = 0; a < s.d[0]->n_arches; a++)
		for (int row = 0; syscall_row_name(row); row++) {
			const struct decided_arch *arch = &s.d[0]->arches[a];
			const struct call_verdict v = verdict_of(s.d[0], arch, row);
			uint32_t offset = syscall_offset(row, arch->arch->table);

			assert_int_equal(v.exists, offset != SYSCALL_NONE);
			if (v.exists && !v.chain)
				assert_int_equal(
				    answer(f, arch->arch->audit, arch->arch->base + offset, 0),
				    v.action);
		}
}

static bool has_line(const struct profile_diff *diff, const char *arch, const char *call,
		     const char *a, const char *b)
{
	for (size_t i = 0; i < diff->n; i++)
		if (strcmp(diff->v[i].arch, arch) == 0 && strcmp(diff->v[i].call, call) == 0 &&
		    strcmp(diff->v[i].a, a) == 0 && strcmp(diff->v[i].b, b) == 0)
			return true;
	return false;
}

static void a_difference_names_call_arguments_and_capability(void **state)
{
	struct fixture *f = *state;
	struct profile_diff diff;
	struct survey a, b;

	survey(f, "default", &a);
	survey(f, "default,-chown,+mount,+socket", &b);
	assert_int_equal(profile_compare(&a, &b, &f->arena, &diff, &f->err), 0);
	assert_true(has_line(&diff, "x86_64", "chown", "allowed", "EPERM"));
	assert_true(has_line(&diff, "x86", "chown32", "allowed", "EPERM"));
	assert_true(
	    has_line(&diff, "x86_64", "mount", "EPERM; with CAP_SYS_ADMIN: allowed", "allowed"));
	assert_true(has_line(&diff, "x86_64", "socket",
			     "allowed if arg0 = 1, 2, 10, 16, else EPERM; with CAP_NET_RAW: "
			     "allowed if arg0 = 1, 2, 10, 16, 17, else EPERM",
			     "allowed"));
	assert_int_equal(diff.n, 4); /* x32 differs as x86_64 does */

	assert_int_equal(profile_compare(&a, &a, &f->arena, &diff, &f->err), 0);
	assert_int_equal(diff.n, 0);
}

static void a_difference_in_architectures_and_newer_calls(void **state)
{
	static const char json[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[]}";
	struct spec_source source = { .name = "t", .text = json, .len = sizeof(json) - 1 };
	struct fixture *f = *state;
	struct profile_diff diff;
	struct survey a, b;

	survey(f, "default", &a);
	assert_int_equal(spec_read_seccomp(&source, &f->arena, &f->spec, &f->err), 0);
	assert_int_equal(survey_make(&f->spec, &f->env, &f->arena, &b, &f->err), 0);
	assert_int_equal(profile_compare(&a, &b, &f->arena, &diff, &f->err), 0);
	assert_true(has_line(&diff, "x86_64", "newer calls", "ENOSYS", "allowed"));
	assert_true(
	    has_line(&diff, "x86", "every call", "as the profile has it", "kills the thread"));
	assert_int_equal(profile_compare(&b, &a, &f->arena, &diff, &f->err), 0);
	assert_true(
	    has_line(&diff, "x32", "every call", "kills the thread", "as the profile has it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_without_which_nothing_runs),
		TEST(eperm_where_enosys_is_waited_for),
		TEST(lists_of_what_is_denied),
		TEST(twins_of_denied_calls),
		TEST(io_uring_goes_past_the_filter),
		TEST(other_architectures_are_a_way_around),
		TEST(rules_without_effect),
		TEST(names_that_mean_nothing),
		TEST(conditions_that_are_none),
		TEST(conditions_on_bits_that_the_kernel_ignores),
		TEST(built_in_profiles_have_no_warnings),
		TEST(a_table_tells_verdicts_and_their_capabilities),
		TEST(a_table_agrees_with_the_filter),
		TEST(a_difference_names_call_arguments_and_capability),
		TEST(a_difference_in_architectures_and_newer_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
