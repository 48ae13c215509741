/*
 * host_net.c - see host_net.h.
 *
 * What undo must know outlives init: a netlink socket in the container's namespace, kept in a slot
 * of the step. It keeps the namespace, and so the device, from ending with init; bound to the
 * device (SO_BINDTOIFINDEX) it remembers which one that is, whatever it is called by now; and its
 * priority remembers whether the device was up. Netlink itself heeds neither.
 */
#include "ops/host_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/netlink.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

/* ---- one device -------------------------------------------------------------------------------
 */

struct device {
	int index;
	unsigned int flags; /* IFF_* */
	char name[IFNAMSIZ];
};

static int read_device(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	struct device *device = data;
	const char *name;
	size_t len = 0;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	name = netlink_find(message, sizeof(*info), IFLA_IFNAME, &len);
	if (!name || len > sizeof(device->name))
		return -EPROTO;
	device->index = info->ifi_index;
	device->flags = info->ifi_flags;
	memcpy(device->name, name, len);
	return 0;
}

/* By its index, or by its name when that is 0. */
static int find_device(int fd, int index, const char *name, struct device *ret)
{
	const struct ifinfomsg info = { .ifi_index = index };
	const uint32_t brief = RTEXT_FILTER_SKIP_STATS;
	struct netlink_request request;

	netlink_begin(&request, RTM_GETLINK, 0, &info, sizeof(info));
	netlink_add(&request, IFLA_EXT_MASK, &brief, sizeof(brief));
	if (index == 0 && name)
		netlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	*ret = (struct device){ 0 };
	return netlink_call(fd, &request, read_device, ret);
}

static int bring_up(int fd, int index)
{
	const struct ifinfomsg info = { .ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof(info));
	return netlink_call(fd, &request, NULL, NULL);
}

/* Into another namespace, as `name` and with the number `to_index`; it is down afterwards. */
static int move(int fd, int index, int netns, const char *name, int to_index)
{
	const struct ifinfomsg info = { .ifi_index = index };
	const uint32_t to = (uint32_t)netns;
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_add(&request, IFLA_NET_NS_FD, &to, sizeof(to));
	netlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	netlink_add(&request, IFLA_NEW_IFINDEX, &to_index, sizeof(to_index)); /* Linux 5.13 */
	return netlink_call(fd, &request, NULL, NULL);
}

static int read_highest(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	int *highest = data;

	if (info->ifi_index > *highest)
		*highest = info->ifi_index;
	return 0;
}

/*
 * The number that the device will have in the namespace of `fd`: we find it by that, whatever the
 * kernel makes of its name. Its own if that is free there: a positive number, or a negative errno.
 */
static int pick_index(int fd, int index)
{
	const struct ifinfomsg info = { 0 };
	struct netlink_request request;
	struct device other;
	int highest = index, r;

	r = find_device(fd, index, NULL, &other);
	if (r < 0)
		return r == -ENODEV ? index : r;
	netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	r = netlink_call(fd, &request, read_highest, &highest);
	return r < 0 ? r : highest + 1;
}

/* ---- its addresses ----------------------------------------------------------------------------
 */

/* Requests, ready to be sent where the device has gone. */
struct addresses {
	int index;
	struct buf requests;
};

static void copy_attr(struct netlink_request *to, const struct nlmsghdr *from, uint16_t type)
{
	size_t len = 0;
	const void *data = netlink_find(from, sizeof(struct ifaddrmsg), type, &len);

	if (data)
		netlink_add(to, type, data, len);
}

/*
 * Permanent and global ones go along (the specification's words; the others the kernel makes anew,
 * or their lease ends with the link). The label names the device and would go stale.
 */
static int read_address(const struct nlmsghdr *message, void *data)
{
	static const uint16_t kept[] = { IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_RT_PRIORITY };
	struct addresses *addresses = data;
	struct ifaddrmsg info;
	struct netlink_request request;
	const uint32_t *all;
	uint32_t flags;
	size_t len = 0;

	if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof(info)))
		return 0;
	memcpy(&info, NLMSG_DATA(message), sizeof(info));
	all = netlink_find(message, sizeof(info), IFA_FLAGS, &len);
	flags = all && len == sizeof(*all) ? *all : info.ifa_flags;
	if ((int)info.ifa_index != addresses->index || !(flags & IFA_F_PERMANENT) ||
	    info.ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	flags &= IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |
		 IFA_F_MCAUTOJOIN;
	info.ifa_flags = (uint8_t)flags;
	netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	netlink_add(&request, IFA_FLAGS, &flags, sizeof(flags));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		copy_attr(&request, message, kept[i]);
	buf_add(&addresses->requests, &request, sizeof(request));
	return addresses->requests.failed ? -ENOMEM : 0;
}

static int read_addresses(int fd, int index, struct addresses *ret)
{
	const struct ifaddrmsg info = { 0 };
	struct netlink_request request;

	ret->index = index;
	netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	return netlink_call(fd, &request, read_address, ret);
}

/* To the device that has the number `index` in the namespace of `fd`. */
static int give_addresses(int fd, int index, const struct addresses *addresses)
{
	const size_t size = sizeof(struct netlink_request);

	for (size_t at = 0; at < addresses->requests.len; at += size) {
		struct netlink_request request;
		struct ifaddrmsg info;
		int r;

		memcpy(&request, addresses->requests.data + at, size);
		memcpy(&info, request.body, sizeof(info));
		info.ifa_index = (uint32_t)index;
		memcpy(request.body, &info, sizeof(info));
		r = netlink_call(fd, &request, NULL, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static void addresses_done(struct addresses *addresses)
{
	buf_done(&addresses->requests);
}

/* ---- the container's namespace ----------------------------------------------------------------
 */

static int open_netns(const struct step *s, const struct op_ctx *ctx)
{
	char path[64];
	int fd;

	/* A new one is reached through our own child, not waited for: the pid is its own. */
	if (s->net_device.netns == SLOT_NONE)
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", ctx->pid);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d",
			       ctx->fd[s->net_device.netns]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A namespace is its inode. */
static bool is_own(int netns)
{
	struct stat theirs, ours;

	return fstat(netns, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0 ||
	       (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev);
}

/* See the head of this file. */
static int remember(int fd, int index, bool is_up)
{
	int up = is_up;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &up, sizeof(up)) < 0)
		return -errno;
	return 0;
}

static int recall(int fd, int *ret_index, bool *ret_up)
{
	socklen_t len = sizeof(int);
	int up = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, ret_index, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PRIORITY, &up, &len) < 0)
		return -errno;
	*ret_up = up != 0;
	return 0;
}

/* ---- there and back ---------------------------------------------------------------------------
 */

static bool is_template(const char *name)
{
	return strchr(name, '%') != NULL;
}

/* What can be known to fail does so before the device is touched. */
static int check_target(int there, const char *name, struct op_ctx *ctx)
{
	struct device other;
	int r;

	if (is_template(name)) /* the kernel finds a free number */
		return 0;
	r = find_device(there, 0, name, &other);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return op_note(ctx, PHASE_SOURCE, r, name);
	return op_note(ctx, PHASE_VERIFY, -EEXIST, "the container has a device of this name");
}

static int explain_move(int code, struct op_ctx *ctx)
{
	if (code == -EINVAL)
		return op_note(ctx, PHASE_VERIFY, code,
			       "the kernel keeps this kind of device in its namespace");
	if (code == -EPERM)
		return op_note(ctx, PHASE_VERIFY, code,
			       "CAP_NET_ADMIN is needed on the host and in the container");
	return op_note(ctx, PHASE_NONE, code, "");
}

/* From here on the device is the container's, and undo has all that it needs. */
static int settle(int there, int index, const struct addresses *addresses, struct op_ctx *ctx)
{
	int r = give_addresses(there, index, addresses);

	if (r < 0)
		return op_note(ctx, PHASE_VERIFY, r, "its addresses were not accepted there");
	r = bring_up(there, index);
	return r < 0 ? op_note(ctx, PHASE_VERIFY, r, "it does not come up there") : 0;
}

static int move_in(const struct step *s, struct op_ctx *ctx, int here, int netns)
{
	const struct step_net_device *n = &s->net_device;
	_cleanup_(addresses_done) struct addresses addresses = { 0 };
	_cleanup_close_ int there = netlink_open_at(netns);
	struct device device;
	int r, index;

	if (there < 0)
		return op_note(ctx, PHASE_OPEN, there, "the container's network namespace");
	r = find_device(here, 0, n->host, &device);
	if (r < 0)
		return op_note(ctx, PHASE_SOURCE, r, n->host);
	r = read_addresses(here, device.index, &addresses);
	if (r == 0)
		r = check_target(there, n->name, ctx);
	if (r < 0)
		return r;
	index = pick_index(there, device.index);
	r = index < 0 ? index : remember(there, index, device.flags & IFF_UP);
	if (r < 0)
		return r;
	ctx->fd[n->slot] = take_fd(&there);
	r = move(here, device.index, netns, n->name, index);
	if (r < 0)
		return explain_move(r, ctx);
	return settle(ctx->fd[n->slot], index, &addresses, ctx);
}

int host_net_device(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_close_ int here = netlink_open(), netns = open_netns(s, ctx);
	int r;

	if (here < 0 || netns < 0)
		return here < 0 ? here : netns;
	if (is_own(netns))
		return op_note(ctx, PHASE_VERIFY, -EXDEV,
			       "the container has the host's network namespace");
	r = move_in(s, ctx, here, netns);
	/* The kernel moves first and names then, so even a move that failed may have been made. */
	if (r < 0)
		host_net_device_undo(s, ctx);
	return r;
}

void host_net_device_undo(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_(addresses_done) struct addresses addresses = { 0 };
	_cleanup_close_ int there = ctx->fd[s->net_device.slot], here = netlink_open(),
			    netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct device device;
	bool up = false;
	int index = 0;

	ctx->fd[s->net_device.slot] = -1;
	if (there < 0 || here < 0 || netns < 0 || recall(there, &index, &up) < 0)
		return;
	if (find_device(there, index, NULL, &device) < 0 ||
	    read_addresses(there, index, &addresses) < 0)
		return;
	index = pick_index(here, index);
	if (index < 0 || move(there, device.index, netns, s->net_device.host, index) < 0)
		return;
	(void)give_addresses(here, index, &addresses);
	if (up)
		(void)bring_up(here, index);
}
