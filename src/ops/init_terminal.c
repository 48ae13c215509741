/*
 * init_terminal.c - the container's own terminal, from its own devpts, never by a path that the
 * image or another process could bend.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "ops/init_process.h"
#include "sys/send_fd.h"
#include "sys/sys.h"

/* Where the name is for people only; engines take the descriptor. */
#define MASTER_NAME "/dev/ptmx"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

static int open_master(const struct op_ctx *ctx)
{
	struct statfs fs;
	int fd = sys_openat2(ctx->fd[SLOT_ROOTFS], "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
			     IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fd;
	/* The host's /dev/ptmx would give the container a terminal of the host. */
	if (sys_fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC) {
		(void)sys_close(fd);
		return -ENODEV;
	}
	return fd;
}

/* The other end by descriptor: a name such as /dev/pts/0 would be looked up in the container. */
static int open_peer(int master)
{
	int unlock = 0;
	int r = sys_ioctl(master, TIOCSPTLCK, &unlock);

	if (r < 0)
		return r;
	return (int)sys_call_3(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* /dev/console is the terminal: a new file that nobody else made, covered by the device. */
static int bind_console(const struct op_ctx *ctx, int peer)
{
	int tree, dev, r;

	dev =
	    sys_openat2(ctx->fd[SLOT_ROOTFS], "dev", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, IN_ROOT);
	if (dev < 0)
		return dev;
	r = sys_openat(dev, "console", O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r >= 0)
		(void)sys_close(r);
	tree = r < 0 && r != -EEXIST ? r : sys_open_tree(peer, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	if (tree >= 0) {
		r = sys_openat2(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		if (r >= 0) {
			int at = r;

			r = sys_move_mount(tree, "", at, "",
					   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
			(void)sys_close(at);
		}
		(void)sys_close(tree);
	} else {
		r = tree;
	}
	(void)sys_close(dev);
	return r;
}

int send_master(int socket, int master)
{
	char name[] = MASTER_NAME;
	struct iovec part = { .iov_base = name, .iov_len = sizeof(name) - 1 };

	return sys_send_fd(socket, master, &part, 1);
}

static int use_terminal(const struct step_terminal *t, int master, int peer)
{
	struct winsize size = { .ws_row = t->rows, .ws_col = t->columns };
	int r = 0;

	if (t->rows > 0 || t->columns > 0)
		r = sys_ioctl(master, TIOCSWINSZ, &size);
	/* In a user namespace without this id in its map the owner stays as it is. */
	if (r == 0)
		(void)sys_fchownat(peer, "", t->uid, (gid_t)-1, AT_EMPTY_PATH);
	if (r == 0)
		r = (int)sys_call_3(SYS_ioctl, peer, TIOCSCTTY, 0);
	for (int fd = 0; fd < 3 && r >= 0; fd++)
		r = sys_dup3(peer, fd, 0);
	return r < 0 ? r : 0;
}

int init_terminal(const struct step *s, struct op_ctx *ctx)
{
	int master = open_master(ctx), peer, r;

	if (master < 0)
		return op_note(ctx, PHASE_OPEN, master, "/dev/pts/ptmx of the container");
	peer = open_peer(master);
	if (peer < 0) {
		(void)sys_close(master);
		return op_note(ctx, PHASE_TERMINAL, peer, "");
	}
	r = s->terminal.dev_console ? bind_console(ctx, peer) : 0;
	if (r < 0)
		(void)op_note(ctx, PHASE_MOUNT_POINT, r, "/dev/console");
	if (r == 0)
		r = send_master(ctx->fd[SLOT_CONSOLE], master);
	if (r == 0)
		r = use_terminal(&s->terminal, master, peer);
	(void)sys_close(peer);
	(void)sys_close(master);
	(void)sys_close(ctx->fd[SLOT_CONSOLE]);
	return r;
}
