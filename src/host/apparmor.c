/*
 * apparmor.c - see apparmor.h.
 */
#include "host/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/apparmor-profile.h"
#include "host/apparmor_cache.h"
#include "host/helper.h"

#define REPLACE "/sys/kernel/security/apparmor/.replace"

/* ---- the parser ------------------------------------------------------------------------------ */

static const char *find_parser(struct err *err)
{
	static const char *const places[] = { "/sbin/apparmor_parser", "/usr/sbin/apparmor_parser",
					      "/usr/bin/apparmor_parser" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	(void)err_say(err, -ENOENT,
		      "apparmor_parser, which compiles AppArmor profiles, is not there");
	(void)err_hint(err, "install the package apparmor");
	return NULL;
}

/* `name` is what messages call the source; it is read from `in`. */
static int run_parser(const char *const *argv, int in, const char *name, struct buf *out,
		      struct err *err)
{
	_cleanup_buf_ struct buf said = { 0 };
	int r = helper_run(argv, in, out, &said, err);

	if (r > 0)
		return err_say(err, -EINVAL, "AppArmor profile %s: %s", name, buf_text(&said));
	if (r == 0 && out->failed)
		return err_set(err, -ENOMEM, "compile AppArmor profile %s", name);
	return r;
}

static int compile(const char *parser, int in, const char *name, struct buf *out, struct err *err)
{
	const char *argv[] = { parser,     "--skip-cache", "--skip-kernel-load",
			       "--stdout", "--quiet",      NULL };
	int r = run_parser(argv, in, name, out, err);

	if (r == 0 && out->len == 0)
		return err_say(err, -EINVAL, "AppArmor profile %s: there is no profile in it",
			       name);
	return r;
}

/* ---- the kernel ------------------------------------------------------------------------------ */

/* The kernel takes profiles in one write only. */
static int load(const struct buf *compiled, const char *name, struct err *err)
{
	_cleanup_close_ int fd = open(REPLACE, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd >= 0 && write(fd, compiled->data, compiled->len) == (ssize_t)compiled->len)
		return 0;
	r = err_set(err, -errno, "load AppArmor profile %s", name);
	if (r == -ENOENT)
		(void)err_hint(err, "mount securityfs on /sys/kernel/security");
	else if (r == -EACCES || r == -EPERM)
		(void)err_hint(err, "only the host's root, with CAP_MAC_ADMIN, may load profiles");
	return r;
}

/* ---- our own --------------------------------------------------------------------------------- */

/*
 * The source is written for AppArmor 3.0 and says what to add for 4.0. Which of the two it is, the
 * installed ABI files tell; without either, the parser takes the kernel's own.
 */
static void adapt(const char *source, struct buf *out)
{
	static const char abi_3[] = "abi <abi/3.0>,\n", more[] = "  #4.0 ";
	const bool has_3 = access("/etc/apparmor.d/abi/3.0", R_OK) == 0,
		   has_4 = access("/etc/apparmor.d/abi/4.0", R_OK) == 0;

	while (*source) {
		size_t len = strcspn(source, "\n") + 1;

		if (strncmp(source, abi_3, sizeof(abi_3) - 1) == 0)
			buf_str(out, has_4 ? "abi <abi/4.0>,\n" : has_3 ? abi_3 : "");
		else if (has_4 && strncmp(source, more, sizeof(more) - 1) == 0)
			buf_add(out, source + sizeof(more) - 1, len - (sizeof(more) - 1));
		else
			buf_add(out, source, len);
		source += len;
	}
}

static int compile_default(const char *parser, const struct buf *source, struct buf *out,
			   struct err *err)
{
	_cleanup_close_ int in = buf_file(source, "profile");

	if (in < 0)
		return err_set(err, in, "compile AppArmor profile " APPARMOR_DEFAULT);
	return compile(parser, in, APPARMOR_DEFAULT, out, err);
}

int apparmor_load_default(struct err *err)
{
	_cleanup_buf_ struct buf source = { 0 }, cached = { 0 }, compiled = { 0 };
	const char *parser = find_parser(err);
	uint64_t key;
	int r;

	/* The cache is worth nothing without: the key needs the parser. */
	if (!parser)
		return err->code;
	adapt(containr_default, &source);
	key = apparmor_cache_key(buf_text(&source), parser);
	if (apparmor_cache_read(key, &cached) == 0) {
		r = load(&cached, APPARMOR_DEFAULT, err);
		if (r == 0 || r == -EACCES || r == -EPERM)
			return r;
		apparmor_cache_forget(key); /* the kernel does not like it: make a new one */
	}
	r = compile_default(parser, &source, &compiled, err);
	if (r == 0)
		r = load(&compiled, APPARMOR_DEFAULT, err);
	if (r == 0)
		apparmor_cache_write(key, &compiled);
	return r;
}

/* ---- files of others ------------------------------------------------------------------------- */

static int open_profile(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? err_set(err, -errno, "open AppArmor profile %s", path) : fd;
}

int apparmor_load_file(const char *path, struct err *err)
{
	_cleanup_buf_ struct buf compiled = { 0 };
	_cleanup_close_ int fd = open_profile(path, err);
	const char *parser;
	int r;

	parser = fd < 0 ? NULL : find_parser(err);
	r = parser ? compile(parser, fd, path, &compiled, err) : err->code;
	return r < 0 ? r : load(&compiled, path, err);
}

int apparmor_file_profile(const char *path, struct arena *arena, const char **ret, struct err *err)
{
	_cleanup_buf_ struct buf names = { 0 };
	_cleanup_close_ int fd = open_profile(path, err);
	const char *parser = fd < 0 ? NULL : find_parser(err);
	const char *argv[] = { parser, "--names", "--quiet", NULL };
	const char *name;
	int r;

	if (!parser)
		return err->code;
	r = run_parser(argv, fd, path, &names, err);
	if (r < 0)
		return r;
	if (names.len == 0)
		return err_say(err, -EINVAL, "AppArmor profile %s: there is no profile in it",
			       path);
	name = arena_strndup(arena, names.data, strcspn(names.data, "\n"));
	if (!name)
		return err_set(err, -ENOMEM, "read AppArmor profile %s", path);
	*ret = name;
	return 0;
}
