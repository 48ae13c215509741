/*
 * apparmor_cache.c - see apparmor_cache.h.
 *
 * Whoever could write here would decide what containers may do: a directory that somebody else owns
 * or may write to is not used.
 */
#include "host/apparmor_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/apparmor.h"

#define CACHE_PARENT "/var/cache/containr"
#define CACHE_DIR    CACHE_PARENT "/apparmor"
#define FEATURES     "/sys/kernel/security/apparmor/features"
#define MAX_DEPTH    8
#define COMPILED_CAP (4 * 1024 * 1024)

/* FNV-1a: tells texts apart; it need not resist an attacker, who cannot write here. */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static uint64_t hash_text(const char *text)
{
	return hash(0xcbf29ce484222325ULL, text, strlen(text) + 1);
}

static uint64_t hash_file(int fd, uint64_t h)
{
	char data[1024];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		h = hash(h, data, (size_t)n);
	return h;
}

static uint64_t hash_dir(int fd, uint64_t above, unsigned int depth);

/* A file by its contents, a directory by what is in it, each with its name. */
static uint64_t hash_entry(int dir, const char *name, uint64_t above, unsigned int depth)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t h = hash(above, name, strlen(name) + 1);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return h;
	return S_ISDIR(st.st_mode) ? hash_dir(take_fd(&fd), h, depth + 1) : hash_file(fd, h);
}

/* The sum does not depend on the order, which is the kernel's affair. Takes the descriptor. */
static uint64_t hash_dir(int fd, uint64_t above, unsigned int depth)
{
	_cleanup_dir_ DIR *dir = depth < MAX_DEPTH ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	uint64_t sum = above;

	if (!dir)
		close_fdp(&fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			sum += hash_entry(dirfd(dir), entry->d_name, above, depth);
	return sum;
}

uint64_t apparmor_cache_key(const char *profile, const char *parser)
{
	int features = open(FEATURES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t key = hash_text(profile);
	struct stat st;

	if (features >= 0)
		key = hash_dir(features, key, 0);
	if (stat(parser, &st) < 0)
		return key;
	key = hash(key, &st.st_size, sizeof(st.st_size));
	return hash(key, &st.st_mtim, sizeof(st.st_mtim));
}

/* ---- files ----------------------------------------------------------------------------------- */

static int open_dir(bool make)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (make) {
		(void)mkdir(CACHE_PARENT, 0755);
		(void)mkdir(CACHE_DIR, 0700);
	}
	fd = open(CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || (st.st_mode & 022))
		return -EPERM;
	return take_fd(&fd);
}

static void file_name(uint64_t key, char *name, size_t size)
{
	(void)snprintf(name, size, APPARMOR_DEFAULT ".%016llx", (unsigned long long)key);
}

int apparmor_cache_read(uint64_t key, struct buf *ret)
{
	_cleanup_close_ int dir = open_dir(false), fd = -1;
	char name[64];

	if (dir < 0)
		return dir;
	file_name(key, name, sizeof(name));
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : buf_read_fd(ret, fd, COMPILED_CAP);
}

static void remove_older(int dir)
{
	_cleanup_dir_ DIR *list = fdopendir(dup(dir));
	const struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (strncmp(entry->d_name, APPARMOR_DEFAULT ".", strlen(APPARMOR_DEFAULT ".")) == 0)
			(void)unlinkat(dir, entry->d_name, 0);
}

/* Under another name first: a half-written file is never found. */
void apparmor_cache_write(uint64_t key, const struct buf *compiled)
{
	_cleanup_close_ int dir = open_dir(true), fd = -1;
	char name[64], temporary[32];
	bool is_whole;

	if (dir < 0)
		return;
	remove_older(dir);
	(void)snprintf(temporary, sizeof(temporary), "new.%d", getpid());
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	file_name(key, name, sizeof(name));
	is_whole = write(fd, compiled->data, compiled->len) == (ssize_t)compiled->len;
	if (!is_whole || renameat(dir, temporary, dir, name) < 0)
		(void)unlinkat(dir, temporary, 0);
}

void apparmor_cache_forget(uint64_t key)
{
	_cleanup_close_ int dir = open_dir(false);
	char name[64];

	file_name(key, name, sizeof(name));
	if (dir >= 0)
		(void)unlinkat(dir, name, 0);
}
