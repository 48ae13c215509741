/*
 * init_program.c - the last steps: where the program is, what it inherits, and the exec itself.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <elf.h>
#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

#include "ops/init_path.h"
#include "ops/init_process.h"
#include "sys/sys.h"

/* ---- working directory ---------------------------------------------------------------------- */

/* Makes each missing directory of an absolute path: we are inside the new root by now. */
static int make_path(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		int r;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		r = sys_mkdirat(AT_FDCWD, part, 0755);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

int init_cwd(const struct step *s, struct op_ctx *ctx)
{
	char now[PATH_MAX];
	ssize_t n;
	int r;

	(void)ctx;
	(void)sys_umask(s->cwd.umask);
	r = sys_chdir(s->cwd.path);
	if (r == -ENOENT) {
		r = make_path(s->cwd.path);
		if (r == 0)
			r = sys_chdir(s->cwd.path);
	}
	if (r < 0)
		return r;
	/* A directory outside the root is told as "(unreachable)/…": CVE-2024-21626. */
	n = sys_getcwd(now, sizeof(now));
	if (n < 0)
		return (int)n;
	return now[0] == '/' ? 0 : op_note(ctx, PHASE_VERIFY, -EPERM, "it is outside the root");
}

/* ---- finding the program ----------------------------------------------------------------------
 */

static int try_candidate(const char *path)
{
	struct statx st;
	int r = sys_statx(AT_FDCWD, path, 0, STATX_TYPE, &st);

	if (r < 0)
		return r;
	if (S_ISDIR(st.stx_mode))
		return -EISDIR;
	return sys_faccessat(AT_FDCWD, path, 1 /* X_OK */);
}

/* As execvp does: a candidate that cannot be executed is told only if there is no better one. */
int init_lookup(const struct step *s, struct op_ctx *ctx)
{
	int result = -ENOENT;

	for (const char *const *path = s->exec.candidates; *path; path++) {
		int r = try_candidate(*path);

		if (r == 0) {
			ctx->exec_path = *path;
			return 0;
		}
		if (r == -EACCES || (r == -EISDIR && !path[1]))
			result = r;
		else if (r != -ENOENT && r != -ENOTDIR && r != -EISDIR)
			return r;
	}
	return result;
}

/* ---- what is inherited -------------------------------------------------------------------------
 */

/* How a descriptor was opened, or -1: it is not the null device. */
static int flags_if_null(int fd)
{
	if (path_is_device(fd, S_IFCHR, 1, 3) != 0)
		return -1;
	return sys_fcntl(fd, F_GETFL, 0) & O_ACCMODE;
}

/*
 * The host's /dev/null would be the one file of a mount that the container does not have, and so
 * what criu cannot find again (as in runc). Where the container has none, or something else in its
 * place, the host's stays.
 */
static void reopen_null(void)
{
	const int wait_for_nobody = O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;

	for (int fd = 0; fd < 3; fd++) {
		int flags = flags_if_null(fd), own;

		if (flags < 0)
			continue;
		own = sys_openat(AT_FDCWD, "/dev/null", flags | wait_for_nobody, 0);
		if (own >= 0 && path_is_device(own, S_IFCHR, 1, 3) == 0 &&
		    sys_fcntl(own, F_SETFL, flags) == 0)
			(void)sys_dup3(own, fd, 0);
		if (own >= 0)
			(void)sys_close(own);
	}
}

int init_close_fds(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	reopen_null();
	return sys_close_range(s->close_fds.first, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* ---- exec, and why it failed --------------------------------------------------------------------
 */

static int explain_script(struct op_ctx *ctx, char *head, size_t len, int code)
{
	char *name = head + 2, *end;

	head[len] = '\0';
	while (*name == ' ' || *name == '\t')
		name++;
	for (end = name; *end && *end != ' ' && *end != '\t' && *end != '\n'; end++)
		;
	*end = '\0';
	if (end > name && end[-1] == '\r') {
		end[-1] = '\0';
		return op_note(ctx, PHASE_CRLF, code, name);
	}
	return op_note(ctx, PHASE_INTERPRETER, code, name);
}

static int explain_elf(struct op_ctx *ctx, int fd, const char *head, size_t len, int code)
{
	char name[NOTE_SIZE];
	Elf64_Ehdr elf;

	if (len < sizeof(elf) || head[EI_CLASS] != ELFCLASS64)
		return code;
	memcpy(&elf, head, sizeof(elf));
	for (unsigned int i = 0; i < elf.e_phnum && i < 64; i++) {
		Elf64_Phdr segment;
		uint64_t at = elf.e_phoff + (uint64_t)i * sizeof(segment);
		ssize_t n;

		if (sys_call_4(SYS_pread64, fd, &segment, sizeof(segment), at) !=
			(long)sizeof(segment) ||
		    segment.p_type != PT_INTERP)
			continue;
		n = sys_call_4(SYS_pread64, fd, name, sizeof(name) - 1, segment.p_offset);
		if (n <= 0)
			return code;
		name[n] = '\0';
		return op_note(ctx, PHASE_INTERPRETER, code, name);
	}
	return code;
}

/*
 * "No such file or directory" for a file that is there: it is the interpreter that is missing. An
 * "exec format error" is mostly a program for another machine.
 */
static int explain_failure(struct op_ctx *ctx, int code)
{
	char head[256];
	ssize_t n = 0;
	int fd;

	if (code != -ENOENT && code != -ENOEXEC)
		return code;
	fd = sys_openat(AT_FDCWD, ctx->exec_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return code;
	n = sys_read(fd, head, sizeof(head) - 1);
	if (n > 2 && head[0] == '#' && head[1] == '!')
		code = explain_script(ctx, head, (size_t)n, code);
	else if (n > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0 && code == -ENOENT)
		code = explain_elf(ctx, fd, head, (size_t)n, code);
	else if (n > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		code = op_note(ctx, PHASE_WRONG_MACHINE, code, "");
	(void)sys_close(fd);
	return code;
}

int init_exec(const struct step *s, struct op_ctx *ctx)
{
	return explain_failure(ctx, sys_execve(ctx->exec_path, s->exec.argv, s->exec.envp));
}
