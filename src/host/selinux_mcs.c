/*
 * selinux_mcs.c - see selinux_mcs.h.
 *
 * ROOT/.mcs/cA,cB is a symbolic link to the id of the container that has the pair: made in one step
 * or not at all. Nobody has to give a pair back. Whoever draws one that is taken looks whether the
 * container is there; a link older than a minute whose container is not, is left over from one that
 * was deleted or never made.
 */
#include "host/selinux_mcs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PAIR_SIZE  sizeof("c1022,c1023")
#define NOTES      ".mcs"
#define CATEGORIES 1024U
#define TRIES      1000
#define GRACE      60 /* seconds between the choice of a label and the container's directory */
#define ID_SIZE    1025

static int open_notes(int root)
{
	int fd;

	if (mkdirat(root, NOTES, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(root, NOTES, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Two different ones, the lower first: 523,776 pairs. */
static int draw(char pair[PAIR_SIZE])
{
	uint32_t random[2], a, b;

	do {
		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return -EIO;
		a = random[0] % CATEGORIES;
		b = random[1] % CATEGORIES;
	} while (a == b);
	(void)snprintf(pair, PAIR_SIZE, "c%u,c%u", a < b ? a : b, a < b ? b : a);
	return 0;
}

static bool is_left_over(int root, int notes, const char *pair)
{
	char id[ID_SIZE];
	ssize_t n = readlinkat(notes, pair, id, sizeof(id) - 1);
	struct stat st;

	if (n < 0 || fstatat(notes, pair, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	id[n] = '\0';
	return faccessat(root, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
	       time(NULL) - st.st_mtime > GRACE;
}

static int claim(int root, int notes, const char *pair, const char *id)
{
	if (symlinkat(id, notes, pair) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* Of two that find it left over, the second makes no link: it draws again. */
	if (is_left_over(root, notes, pair))
		(void)unlinkat(notes, pair, 0);
	return -EAGAIN;
}

int selinux_level_claim(const char *root, const char *id, char level[SELINUX_LEVEL_SIZE],
			struct err *err)
{
	_cleanup_close_ int dir = -1, notes = -1;
	char pair[PAIR_SIZE];
	int r = -EAGAIN;

	if (mkdir(root, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make %s", root);
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, "open %s", root);
	notes = open_notes(dir);
	if (notes < 0)
		return err_set(err, notes, "open %s/" NOTES, root);
	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		r = draw(pair);
		if (r == 0)
			r = claim(dir, notes, pair, id);
	}
	if (r == -EAGAIN)
		return err_say(err, -EBUSY,
			       "%s/" NOTES ": no free pair of SELinux categories found", root);
	if (r < 0)
		return err_set(err, r, "note SELinux categories in %s/" NOTES, root);
	(void)snprintf(level, SELINUX_LEVEL_SIZE, "s0:%s", pair);
	return 0;
}
