/*
 * test_edit.c - profiles changed by name, and profiles written as JSON: what is asked for holds on
 * every architecture, and what was not named stays as it was.
 */
#include "fixture.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "seccomp/arch.h"
#include "seccomp/edit.h"
#include "seccomp/group.h"
#include "seccomp/profile.h"
#include "seccomp/render.h"
#include "seccomp/syscalls.h"
#include "spec/read.h"

static void resolve(struct fixture *f, const char *text)
{
	bool unconfined = true;

	if (profile_resolve(text, &f->arena, &f->spec, &unconfined, &f->err) < 0)
		fail_msg("%s: %s", text, f->err.msg);
	assert_false(unconfined);
	if (seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err) < 0)
		fail_msg("%s: %s", text, f->err.msg);
	bpf_check(f->program.insns, f->program.n);
}

static void refuse(struct fixture *f, const char *text, int code, const char *msg, const char *hint)
{
	bool unconfined;

	f->err = (struct err){ 0 };
	assert_int_equal(profile_resolve(text, &f->arena, &f->spec, &unconfined, &f->err), code);
	if (!strstr(f->err.msg, msg) || !strstr(f->err.hint, hint))
		fail_msg("%s: %s (%s)", text, f->err.msg, f->err.hint);
}

static uint32_t by_name(const struct fixture *f, const char *arch_name, const char *call)
{
	const struct seccomp_arch *arch = arch_find(arch_name);
	uint32_t offset = syscall_offset(syscall_row(call), arch->table);

	assert_int_not_equal(offset, SYSCALL_NONE);
	return answer(f, arch->audit, arch->base + offset, 0);
}

/* ---- edits -------------------------------------------------------------------------------- */

static void added_and_removed_calls(void **state)
{
	struct fixture *f = *state;

	resolve(f, "default,+io_uring_setup,-ptrace");
	assert_int_equal(answer_to(f, SYS_io_uring_setup, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_ptrace, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_io_uring_enter, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_read, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "ptrace"), ERRNO(EPERM));
	assert_int_equal(by_name(f, "SCMP_ARCH_X32", "io_uring_setup"), SECCOMP_RET_ALLOW);
}

/* "+mount" holds without CAP_SYS_ADMIN, "-mount" with it, "+socket" for every family. */
static void an_edit_ends_all_conditions(void **state)
{
	struct fixture *f = *state;

	resolve(f, "default,+mount,+socket");
	assert_int_equal(answer_to(f, SYS_mount, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_socket, 38), SECCOMP_RET_ALLOW);
	f->env.caps = ~0ULL;
	resolve(f, "docker-default,-mount");
	assert_int_equal(answer_to(f, SYS_mount, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_umount2, 0), SECCOMP_RET_ALLOW);
}

static void groups_and_the_last_edit_counts(void **state)
{
	struct fixture *f = *state;

	resolve(f, "default,+@io_uring,-@xattr,+fsetxattr,-io_uring_register");
	assert_int_equal(answer_to(f, SYS_io_uring_setup, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_io_uring_register, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_setxattr, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_fsetxattr, 0), SECCOMP_RET_ALLOW);
}

/* i386 has chown32 and clock_settime64: a denial of chown would be none there. */
static void forms_on_32_bits_are_meant_too(void **state)
{
	struct fixture *f = *state;

	f->env.caps = ~0ULL;
	resolve(f, "default,-chown,-clock_settime,-umount2,-sendto");
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "chown32"), ERRNO(EPERM));
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "clock_settime64"), ERRNO(EPERM));
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "umount"), ERRNO(EPERM));
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "lchown32"), SECCOMP_RET_ALLOW);
}

/* The profile allows all of socketcall(2): that must not give back what an edit takes. */
static void multiplexed_calls_are_denied_too(void **state)
{
	struct fixture *f = *state;

	resolve(f, "default,-sendto,-semget");
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "sendto"), ERRNO(EPERM));
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 11), ERRNO(EPERM));      /* SYS_SENDTO */
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 9), ERRNO(EPERM));       /* SYS_SEND */
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 16), SECCOMP_RET_ALLOW); /* SYS_SENDMSG */
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 2), SECCOMP_RET_ALLOW);  /* SYS_BIND */
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 117, 2), ERRNO(EPERM));       /* SEMGET */
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 117, 1), SECCOMP_RET_ALLOW);  /* SEMOP */
	resolve(f, "unconfined,-socket");
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 1), ERRNO(EPERM));
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 2), SECCOMP_RET_ALLOW);
	resolve(f, "default,-socket,+socketcall");
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 102, 1), SECCOMP_RET_ALLOW);
}

/* glibc makes threads with clone3 and falls back to clone only at ENOSYS. */
static void calls_that_are_only_tried_get_enosys(void **state)
{
	struct fixture *f = *state;

	f->env.caps = BIT(CAP_SYS_ADMIN);
	resolve(f, "default,-clone3,-statx");
	assert_int_equal(answer_to(f, SYS_clone3, 0), ERRNO(ENOSYS));
	assert_int_equal(answer_to(f, SYS_statx, 0), ERRNO(ENOSYS));
}

static void a_list_of_denied_calls_alone(void **state)
{
	struct fixture *f = *state;

	resolve(f, "unconfined,-ptrace,-@keyring");
	assert_int_equal(answer_to(f, SYS_ptrace, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_keyctl, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_mount, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, 2000, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(by_name(f, "SCMP_ARCH_X86", "ptrace"), ERRNO(EPERM));
	assert_int_equal(by_name(f, "SCMP_ARCH_X32", "keyctl"), ERRNO(EPERM));
}

static void an_edit_alone_means_the_default_profile(void **state)
{
	struct fixture *f = *state;

	resolve(f, "-ptrace");
	assert_int_equal(answer_to(f, SYS_ptrace, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_keyctl, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_read, 0), SECCOMP_RET_ALLOW);
}

/* A profile that kills does not become milder by an edit. */
static void denial_is_that_of_the_profile(void **state)
{
	static const char json[] =
	    "{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[{\"names\":"
	    "[\"read\",\"ptrace\",\"futex_waitv\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
	struct spec_source source = { .name = "t", .text = json, .len = sizeof(json) - 1 };
	struct fixture *f = *state;
	struct spec_seccomp before;

	assert_int_equal(spec_read_seccomp(&source, &f->arena, &before, &f->err), 0);
	assert_int_equal(profile_edit(&before, "-ptrace", &f->arena, &f->spec, &f->err), 0);
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
	assert_int_equal(answer_to(f, SYS_ptrace, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(before.rules[0].names.n, 3); /* what was given is not changed */
}

static void unconfined_is_no_filter(void **state)
{
	struct fixture *f = *state;
	bool unconfined = false;

	assert_int_equal(profile_resolve("unconfined", &f->arena, &f->spec, &unconfined, &f->err),
			 0);
	assert_true(unconfined);
	assert_false(f->spec.has);
}

static void every_group_is_made_of_calls(void **state)
{
	struct fixture *f = *state;
	char text[64];

	for (unsigned int i = 0; group_at(i); i++) {
		if (i > 0)
			assert_true(strcmp(group_at(i - 1)->name, group_at(i)->name) < 0);
		for (const char *p = group_at(i)->calls; *p;) {
			size_t len = strcspn(p, " ");

			(void)snprintf(text, sizeof(text), "+%.*s", (int)len, p);
			resolve(f, text);
			p += len + strspn(p + len, " ");
		}
	}
	for (unsigned int i = 0; group_probed(i); i++) {
		(void)snprintf(text, sizeof(text), "-%s", group_probed(i));
		resolve(f, text);
	}
}

/* ---- errors ------------------------------------------------------------------------------- */

static void mistakes_are_refused_with_what_was_meant(void **state)
{
	struct fixture *f = *state;

	refuse(f, "default,+io_uring_setpu", -EINVAL, "+io_uring_setpu", "+io_uring_setup?");
	refuse(f, "default,-ptrcae", -EINVAL, "-ptrcae", "-ptrace?");
	refuse(f, "default,+frobnicate_all", -EINVAL, "frobnicate_all", "+@GROUP");
	refuse(f, "default,+@io-uring", -EINVAL, "@io-uring", "+@io_uring?");
	refuse(f, "default,-@everything", -EINVAL, "@everything", "groups are aio, bpf, ");
	refuse(f, "default,ptrace,+bpf", -ENOENT, "default,ptrace", "");
	refuse(f, "default,+bpf,ptrace", -EINVAL, "\"ptrace\"", "+CALL");
	refuse(f, "default,", -EINVAL, "\"\"", "+CALL");
	refuse(f, "default,+", -EINVAL, "\"+\"", "+CALL");
	refuse(f, "default,+@", -EINVAL, "+@:", "groups are");
	refuse(f, "default,+bpf,,+keyctl", -EINVAL, "\"\"", "+CALL");
	refuse(f, "default, +bpf", -ENOENT, "default, +bpf", "");
	refuse(f, "default,+read ", -EINVAL, "read ", "");
	refuse(f, "defualt", -ENOENT, "defualt", "did you mean default?");
	refuse(f, "uncofined", -ENOENT, "uncofined", "did you mean unconfined?");
	refuse(f, "strictest", -ENOENT, "strictest", "docker-default");
	refuse(f, "./none.json,+bpf", -ENOENT, "./none.json", "");
	refuse(f, "/", -EISDIR, "/", "");
	refuse(f, "", -ENOENT, "", "");
	refuse(f,
	       "default,+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	       -EINVAL, "aaaa", "");
}

/* ---- files -------------------------------------------------------------------------------- */

static void a_file_is_read_and_edited(void **state)
{
	static const char json[] = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":"
				   "[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
	char path[] = "/tmp/containr,edit-XXXXXX", text[64];
	struct fixture *f = *state;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, sizeof(json) - 1), sizeof(json) - 1);
	assert_int_equal(close(fd), 0);
	(void)snprintf(text, sizeof(text), "%s,+write", path);
	resolve(f, text);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(answer_to(f, SYS_read, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_write, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_open, 0), ERRNO(ENOSYS));
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void read_back(struct fixture *f, const struct spec_seccomp *spec, struct spec_seccomp *ret)
{
	struct buf text = { 0 };
	struct spec_source source = { .name = "rendered" };

	profile_render_json(spec, &text);
	source.text = arena_strndup(&f->arena, buf_text(&text), text.len);
	source.len = text.len;
	buf_done(&text);
	if (spec_read_seccomp(&source, &f->arena, ret, &f->err) < 0)
		fail_msg("%s\n%s", f->err.msg, source.text);
}

static void same_program(struct fixture *f, const struct spec_seccomp *spec)
{
	struct seccomp_program other;

	if (seccomp_compile(spec, &f->env, &f->arena, &other, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	assert_int_equal(other.n, f->program.n);
	assert_memory_equal(other.insns, f->program.insns, other.n * sizeof(*other.insns));
	assert_int_equal(other.flags, f->program.flags);
}

/* What an engine would write into config.json filters as the profile itself does. */
static void json_of_a_profile_means_the_same(void **state)
{
	static const char *const texts[] = { "default", "docker-default", "default,-clone,+@bpf",
					     "unconfined,-@debug" };
	static const uint64_t caps[] = { 0, BIT(CAP_SYS_ADMIN), BIT(CAP_NET_RAW), ~0ULL };
	struct fixture *f = *state;
	struct spec_seccomp flat, again;

	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
		for (size_t c = 0; c < sizeof(caps) / sizeof(caps[0]); c++) {
			f->env.caps = caps[c];
			resolve(f, texts[t]);
			read_back(f, &f->spec, &again);
			same_program(f, &again);
			assert_int_equal(
			    profile_flatten(&f->spec, &f->env, &f->arena, &flat, &f->err), 0);
			read_back(f, &flat, &again);
			same_program(f, &again);
		}
}

static void json_has_everything_of_a_profile(void **state)
{
	static const char json[] =
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13,\"architectures\":"
	    "[\"SCMP_ARCH_X86\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":"
	    "\"/run/a\\\"b\",\"listenerMetadata\":\"m\",\"syscalls\":[{\"names\":[\"mknod\"],"
	    "\"action\":\"SCMP_ACT_NOTIFY\"},{\"names\":[\"close\"],\"action\":\"SCMP_ACT_TRACE\","
	    "\"errnoRet\":7,\"args\":[{\"index\":5,\"value\":18446744073709551615,\"valueTwo\":9,"
	    "\"op\":\"SCMP_CMP_MASKED_EQ\"}],\"excludes\":{\"minKernel\":\"9.1\",\"arches\":"
	    "[\"arm\"],\"caps\":[\"CAP_BPF\"]}}]}";
	struct spec_source source = { .name = "t", .text = json, .len = sizeof(json) - 1 };
	struct fixture *f = *state;
	struct spec_seccomp again;

	assert_int_equal(spec_read_seccomp(&source, &f->arena, &f->spec, &f->err), 0);
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
	read_back(f, &f->spec, &again);
	same_program(f, &again);
	assert_string_equal(again.listener_path, "/run/a\"b");
	assert_string_equal(again.listener_metadata, "m");
	assert_string_equal(again.rules[1].excludes.min_kernel, "9.1");
	assert_string_equal(again.rules[1].excludes.arches.v[0], "arm");
	assert_int_equal(again.rules[1].excludes.caps, BIT(CAP_BPF));
	assert_int_equal(again.rules[1].args[0].value_two, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(added_and_removed_calls),
		TEST(an_edit_ends_all_conditions),
		TEST(groups_and_the_last_edit_counts),
		TEST(forms_on_32_bits_are_meant_too),
		TEST(multiplexed_calls_are_denied_too),
		TEST(calls_that_are_only_tried_get_enosys),
		TEST(a_list_of_denied_calls_alone),
		TEST(an_edit_alone_means_the_default_profile),
		TEST(denial_is_that_of_the_profile),
		TEST(unconfined_is_no_filter),
		TEST(every_group_is_made_of_calls),
		TEST(mistakes_are_refused_with_what_was_meant),
		TEST(a_file_is_read_and_edited),
		TEST(json_of_a_profile_means_the_same),
		TEST(json_has_everything_of_a_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
