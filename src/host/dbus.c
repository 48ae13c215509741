/*
 * dbus.c - see dbus.h.
 */
#include "host/dbus.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "sys/sys.h"

#define MAX_LINE 512 /* of the greeting */

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t dbus_deadline(void)
{
	return now_ms() + DBUS_PATIENCE_MS;
}

void dbus_close(struct dbus *bus)
{
	if (bus->fd >= 0)
		(void)close(bus->fd);
	bus->fd = -1;
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - now_ms();
	int n = left <= 0 ? 0 : poll(&p, 1, (int)left);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int send_all(int fd, const char *data, size_t len, int64_t deadline)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r = 0;

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0)
			r = wait_for(fd, POLLOUT, deadline);
		if (r < 0)
			return r;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* At least one byte. */
static ssize_t receive_some(int fd, void *data, size_t size, int64_t deadline)
{
	for (;;) {
		ssize_t n = recv(fd, data, size, MSG_DONTWAIT);
		int r;

		if (n > 0)
			return n;
		if (n == 0)
			return -ECONNRESET;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLIN, deadline);
		if (r < 0)
			return r;
	}
}

static int receive_all(int fd, size_t len, int64_t deadline, struct buf *ret)
{
	char chunk[4096];

	while (len > 0) {
		size_t want = len < sizeof(chunk) ? len : sizeof(chunk);
		ssize_t n = receive_some(fd, chunk, want, deadline);

		if (n < 0)
			return (int)n;
		buf_add(ret, chunk, (size_t)n);
		len -= (size_t)n;
	}
	return ret->failed ? -ENOMEM : 0;
}

/* ---- messages ---------------------------------------------------------------------------------
 */

int dbus_send(struct dbus *bus, const struct dbus_call *call, const struct buf *body)
{
	_cleanup_buf_ struct buf message = { 0 };

	dbus_build(call, bus->serial + 1, body, &message);
	if (message.failed)
		return -ENOMEM;
	bus->serial++;
	return send_all(bus->fd, message.data, message.len, dbus_deadline());
}

int dbus_receive(struct dbus *bus, int64_t deadline, struct buf *ret, struct dbus_message *message)
{
	size_t size = 0;
	int r;

	ret->len = 0;
	r = receive_all(bus->fd, DBUS_HEAD, deadline, ret);
	if (r == 0)
		r = dbus_size((const uint8_t *)ret->data, &size);
	if (r == 0)
		r = receive_all(bus->fd, size - DBUS_HEAD, deadline, ret);
	return r < 0 ? r : dbus_parse((const uint8_t *)ret->data, ret->len, message);
}

int dbus_ask(struct dbus *bus, const struct dbus_call *call, const struct buf *body,
	     struct buf *ret, struct dbus_message *message)
{
	int64_t deadline = dbus_deadline();
	int r = dbus_send(bus, call, body);

	do {
		if (r == 0)
			r = dbus_receive(bus, deadline, ret, message);
	} while (r == 0 && message->reply_serial != bus->serial);
	return r;
}

/* ---- the begin --------------------------------------------------------------------------------
 */

/* A line that ends in CR LF, which is not kept. What follows it is for others: byte by byte. */
static int receive_line(int fd, int64_t deadline, char *line)
{
	for (size_t len = 0; len < MAX_LINE - 1; len++) {
		ssize_t n = receive_some(fd, line + len, 1, deadline);

		if (n < 0)
			return (int)n;
		if (len > 0 && line[len - 1] == '\r' && line[len] == '\n') {
			line[len - 1] = '\0';
			return 0;
		}
	}
	return -EBADMSG;
}

/*
 * No name is given: the peer takes the uid that the kernel tells it. In a user namespace we do not
 * know the number by which the peer knows us. sd-bus does the same.
 *
 * All is sent at once. A message right behind a later BEGIN could arrive together with it, and then
 * systemd would look at it only when more arrives.
 */
static int authenticate(int fd, int64_t deadline)
{
	static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	char line[MAX_LINE];
	int r = send_all(fd, hello, sizeof(hello) - 1, deadline);

	if (r == 0)
		r = receive_line(fd, deadline, line);
	if (r == 0 && strncmp(line, "DATA", 4) == 0)
		r = receive_line(fd, deadline, line);
	if (r < 0)
		return r;
	if (strncmp(line, "OK ", 3) != 0 && strcmp(line, "OK") != 0)
		return strncmp(line, "REJECTED", 8) == 0 ? -EACCES : -EBADMSG;
	return 0;
}

static int open_socket(const char *path)
{
	const struct timeval patience = { .tv_sec = DBUS_PATIENCE_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(path);

	if (fd < 0)
		return fd;
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	else
		len++;
	/* A full queue of a listener is waited for, but not for ever. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return take_fd(&fd);
}

static int greet(struct dbus *bus)
{
	const struct dbus_call call = { "org.freedesktop.DBus", "/org/freedesktop/DBus",
					"org.freedesktop.DBus", "Hello", "" };
	const struct buf none = { 0 };
	_cleanup_buf_ struct buf text = { 0 };
	struct dbus_message message;
	int r = dbus_ask(bus, &call, &none, &text, &message);

	return r == 0 && message.kind != DBUS_REPLY ? -EACCES : r;
}

int dbus_connect(const char *path, bool bus, struct dbus *ret)
{
	_cleanup_dbus_ struct dbus new = { .fd = open_socket(path) };
	int r = new.fd;

	if (r >= 0)
		r = authenticate(new.fd, dbus_deadline());
	if (r == 0 && bus)
		r = greet(&new);
	if (r < 0)
		return r;
	ret->serial = new.serial;
	ret->fd = take_fd(&new.fd);
	return 0;
}
