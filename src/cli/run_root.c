/*
 * run_root.c - the root file system: a directory, or the host's own programs.
 *
 * The host's programs are a root that is made in memory: /usr and its like bound read-only, an /etc
 * of our own with what programs need of the host's and nothing that is secret or about people, and
 * fresh directories for what is written. Nothing else of the host can be seen.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/people.h"

/* Recursive, for what is mounted below; set-user-id programs of the host stay without effect. */
#define BIND_PROGRAMS "rbind,rro,rnosuid,rnodev"
#define PRIVATE       "nosuid,nodev,size=512m"

/* "DIR:O", as podman has it: nothing in the directory changes. */
static const char *without_suffix(struct people *p)
{
	const char *path = p->flags->rootfs;
	size_t len = strlen(path);

	if (len < 3 || strcmp(path + len - 2, ":O") != 0)
		return path;
	p->root_in_memory = true;
	return arena_strndup(p->arena, path, len - 2);
}

int run_root(struct people *p)
{
	char path[PATH_MAX];

	if (!given(p->flags->rootfs))
		return 0;
	if (!realpath(without_suffix(p), path))
		return err_set(p->err, -errno, "--rootfs %s", p->flags->rootfs);
	p->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->root_fd < 0)
		return err_set(p->err, -errno, "--rootfs %s", p->flags->rootfs);
	if (strcmp(path, "/") == 0) {
		(void)err_say(p->err, -EINVAL, "--rootfs /: would give away the whole host");
		return err_hint(p->err, "without --rootfs the container gets the host's programs, "
					"read-only, and nothing else of it");
	}
	p->rootfs = arena_strndup(p->arena, path, strlen(path));
	return 0;
}

/* ---- the host's programs ------------------------------------------------------------------------
 */

/* Directories of programs, or links to where those have gone (usrmerge). */
static const char *const program_dirs[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
};

/*
 * What programs look for in /etc and what is the same for everybody: how libraries are found, which
 * certificates are trusted, names of services. Never shadow, ssh, sudoers, private keys.
 */
static const char *const etc_files[] = {
	"/etc/alternatives",
	"/etc/crypto-policies",
	"/etc/fonts",
	"/etc/ld-musl-aarch64.path",
	"/etc/ld-musl-x86_64.path",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/magic",
	"/etc/mime.types",
	"/etc/pki/ca-trust/extracted",
	"/etc/pki/tls/cert.pem",
	"/etc/pki/tls/certs",
	"/etc/protocols",
	"/etc/services",
	"/etc/ssl/cert.pem",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/terminfo",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct image {
	struct plan_root_link links[COUNT(program_dirs) + 8];
	struct plan_root_file files[8];
	size_t n_links, n_files;
};

static void add_link(struct image *image, const char *path, const char *target)
{
	image->links[image->n_links++] = (struct plan_root_link){ path, target };
}

static void add_file(struct people *p, struct image *image, const char *path, struct buf *text)
{
	image->files[image->n_files++] =
	    (struct plan_root_file){ path, arena_strndup(p->arena, buf_text(text), text->len) };
	buf_done(text);
	*text = (struct buf){ 0 };
}

/* The target of a link of the host, or NULL: not a link. */
static const char *link_target(struct people *p, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	return n > 0 && n < (ssize_t)sizeof(target) ? arena_strndup(p->arena, target, (size_t)n)
						    : NULL;
}

static void add_programs(struct people *p, struct image *image)
{
	for (size_t i = 0; i < COUNT(program_dirs); i++) {
		const char *path = program_dirs[i], *target = link_target(p, path);

		if (target)
			add_link(image, path, target);
		else if (access(path, X_OK) == 0)
			people_mount(p, path, "bind", path, BIND_PROGRAMS);
	}
	for (size_t i = 0; i < COUNT(etc_files); i++)
		if (access(etc_files[i], R_OK) == 0)
			people_mount(p, etc_files[i], "bind", etc_files[i], BIND_PROGRAMS);
}

/* ---- an /etc of our own -------------------------------------------------------------------------
 */

static void add_accounts(struct people *p, struct image *image)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *name = p->user_name ? p->user_name : "user";
	bool other = p->uid != 0 && p->uid != 65534;

	buf_str(&text, "root:x:0:0:root:/root:/bin/sh\n");
	if (other)
		buf_printf(&text, "%s:x:%u:%u::%s:/bin/sh\n", name, p->uid, p->gid, p->home);
	buf_str(&text, "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
	add_file(p, image, "/etc/passwd", &text);
	buf_str(&text, "root:x:0:\n");
	if (p->gid != 0 && p->gid != 65534)
		buf_printf(&text, "%s:x:%u:\n", name, p->gid);
	buf_str(&text, "nogroup:x:65534:\n");
	add_file(p, image, "/etc/group", &text);
}

static void add_network_files(struct people *p, struct image *image)
{
	_cleanup_buf_ struct buf text = { 0 };

	/* With the host's network goes what tells how to use it. */
	if (p->host_net && access("/etc/resolv.conf", R_OK) == 0) {
		people_mount(p, "/etc/resolv.conf", "bind", "/etc/resolv.conf", BIND_PROGRAMS);
		people_mount(p, "/etc/hosts", "bind", "/etc/hosts", BIND_PROGRAMS);
	} else {
		buf_str(&text, "# The container has no network.\n");
		add_file(p, image, "/etc/resolv.conf", &text);
		buf_printf(&text, "127.0.0.1\tlocalhost %s\n::1\tlocalhost\n", people_hostname(p));
		add_file(p, image, "/etc/hosts", &text);
	}
	buf_str(&text, "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"
		       "protocols: files\n");
	add_file(p, image, "/etc/nsswitch.conf", &text);
	buf_printf(&text, "%s\n", people_hostname(p));
	add_file(p, image, "/etc/hostname", &text);
}

/* The zone is one of /usr/share/zoneinfo; a file of its own says the same to everybody, too. */
static void add_time_zone(struct people *p, struct image *image)
{
	const char *target = link_target(p, "/etc/localtime");

	if (target && strstr(target, "/zoneinfo/"))
		add_link(image, "/etc/localtime", target);
	else if (!target && access("/etc/localtime", R_OK) == 0)
		people_mount(p, "/etc/localtime", "bind", "/etc/localtime", BIND_PROGRAMS);
}

/* ---- directories to write in --------------------------------------------------------------------
 */

static void add_private(struct people *p)
{
	if (!p->flags->read_only_tmpfs)
		return;
	people_mount(p, "/tmp", "tmpfs", "tmpfs", PRIVATE ",mode=1777");
	people_mount(p, "/var/tmp", "tmpfs", "tmpfs", PRIVATE ",mode=1777");
	people_mount(p, "/run", "tmpfs", "tmpfs", PRIVATE ",mode=0755");
	people_mount(p, "/home", "tmpfs", "tmpfs", PRIVATE ",mode=0755");
	people_mount(p, "/root", "tmpfs", "tmpfs", PRIVATE ",mode=0700");
	if (p->uid != 0 && p->uid != 65534)
		people_mount(
		    p, p->home, "tmpfs", "tmpfs",
		    arena_printf(p->arena, PRIVATE ",mode=0700,uid=%u,gid=%u", p->uid, p->gid));
}

int run_host_root(struct people *p)
{
	struct image *image = arena_alloc(p->arena, sizeof(*image));

	if (!image)
		return err_set(p->err, -ENOMEM, "prepare the root file system");
	add_programs(p, image);
	add_link(image, "/etc/os-release", "../usr/lib/os-release");
	add_link(image, "/etc/mtab", "../proc/self/mounts");
	add_link(image, "/var/run", "../run");
	add_accounts(p, image);
	add_network_files(p, image);
	add_time_zone(p, image);
	add_private(p);
	p->new_root = (struct plan_root){ .links = image->links,
					  .n_links = image->n_links,
					  .files = image->files,
					  .n_files = image->n_files };
	return 0;
}
