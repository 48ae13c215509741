/*
 * usage.c - what containers use, all of them in one pass: for `stats` and `top`.
 *
 * It is a dozen small files a container, and nothing else: where there are many, threads share them
 * out. Each has an arena of its own, and they share nothing that is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/life.h"
#include "sys/sys.h"

static int64_t boot_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * "  eth0: RXBYTES 7 fields TXBYTES …", two lines of titles before. What a container says to itself
 * is no traffic.
 */
static void sum_devices(const char *text, struct usage *u)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		unsigned long long in, out;
		const char *colon;

		line += *line == '\n';
		line += strspn(line, " ");
		colon = line + strcspn(line, ":\n");
		if (*colon != ':' || strncmp(line, "lo:", 3) == 0 ||
		    sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) != 2)
			continue;
		u->received += in;
		u->sent += out;
	}
}

/* Of a network that is the container's own. */
static void read_network(const struct state *state, struct usage *u)
{
	_cleanup_close_ int fd = -1;
	_cleanup_buf_ struct buf text = { 0 };
	char path[48], first[4096];
	ssize_t n;

	if (!(state->namespaces & CLONE_NEWNET) || u->status == STATE_STOPPED)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/net/dev", state->pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = fd < 0 ? -1 : sys_read(fd, first, sizeof(first) - 1);
	if (n < 0)
		return;
	first[n] = '\0';
	/* The kernel fills a page as long as a line fits: with few devices that was all. */
	if (n >= 2048) {
		buf_str(&text, first);
		if (buf_read_fd(&text, fd, 1 << 20) < 0)
			return;
	}
	u->has_network = true;
	sum_devices(text.len > 0 ? buf_text(&text) : first, u);
}

/* What is the same for all of them. */
struct pass {
	const char *root;
	enum cgroup_mode mode;
	unsigned int wanted;
	bool all; /* then one that cannot be read is left out */
};

/* The containers of one thread. */
struct share {
	const struct pass *pass;
	char *const *ids;
	size_t n_ids, n;
	struct usage *v; /* room for n_ids */
	struct arena arena;
	struct cgroup_mounts mounts;
	struct err err;
	pthread_t thread;
	bool started;
};

static int read_one(struct share *s, const char *id, struct usage *ret)
{
	const struct pass *pass = s->pass;
	struct err *err = &s->err;
	const uint64_t tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	_cleanup_close_ int dir = state_open(pass->root, id, false, err);
	struct state state;
	int r = dir < 0 ? dir : state_read(dir, id, &s->arena, &state, err);

	if (r == 0 && !state.oci_version)
		r = err_say(err, -ENOENT, "container %s does not exist", id);
	if (r < 0)
		return r;
	*ret = (struct usage){ .id = state.id,
			       .pid = state.pid,
			       .started_ns = (int64_t)(state.start_time * tick),
			       .status = state_status(dir, &state) };
	cgroup_usage_read(&state.cgroups, pass->mode, pass->wanted, &s->mounts, &ret->cgroup);
	ret->at_ns = boot_ns();
	if (ret->cgroup.frozen && (ret->status == STATE_RUNNING || ret->status == STATE_CREATED))
		ret->status = STATE_PAUSED;
	if (pass->wanted & USAGE_NETWORK)
		read_network(&state, ret);
	return 0;
}

static void *read_share(void *data)
{
	struct share *s = data;
	int r = 0;

	for (size_t i = 0; i < s->n_ids && r == 0; i++) {
		r = read_one(s, s->ids[i], &s->v[s->n]);
		s->n += r == 0;
		/* It may be on its way out; others must not suffer for one that is broken. */
		if (s->pass->all)
			r = 0;
	}
	cgroup_mounts_done(&s->mounts);
	if (r == 0)
		s->err.code = 0;
	return NULL;
}

#define SHARES    4
#define SHARE_MIN 32 /* what is worth a thread */

/* The last share is our own. */
static void read_shares(struct share *shares, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		shares[i].started =
		    pthread_create(&shares[i].thread, NULL, read_share, &shares[i]) == 0;
	for (size_t i = 0; i < n; i++)
		if (!shares[i].started)
			(void)read_share(&shares[i]);
	for (size_t i = 0; i < n; i++)
		if (shares[i].started)
			(void)pthread_join(shares[i].thread, NULL);
}

static size_t count_shares(size_t n)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t shares = n / SHARE_MIN < SHARES ? n / SHARE_MIN : SHARES;

	if (cpus > 0 && shares > (size_t)cpus)
		shares = (size_t)cpus;
	return shares > 0 ? shares : 1;
}

/* Puts the shares together; the first error counts. */
static int gather(struct share *shares, size_t n, struct arena *arena, struct usage_list *list,
		  struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		arena_take(arena, &shares[i].arena);
		if (r == 0 && shares[i].err.code < 0) {
			*err = shares[i].err;
			r = err->code;
		}
		memmove(list->v + list->n, shares[i].v, shares[i].n * sizeof(*list->v));
		list->n += shares[i].n;
	}
	return r;
}

int run_usage(const char *root, const struct spec_strings *ids, unsigned int wanted,
	      struct arena *arena, struct usage_list *ret, struct err *err)
{
	const struct pass pass = { root, cgroup_mode_read(), wanted, ids->n == 0 };
	struct share shares[SHARES];
	struct spec_strings which = *ids;
	struct usage_list list = { 0 };
	size_t n, done = 0;
	int r = pass.all ? state_list(root, arena, &which, err) : 0;

	if (r < 0)
		return r;
	list.v = arena_array(arena, which.n + 1, sizeof(*list.v));
	if (!list.v)
		return err_set(err, -ENOMEM, "read what containers use");
	n = count_shares(which.n);
	for (size_t i = 0; i < n; i++) {
		size_t end = which.n * (i + 1) / n;

		shares[i] = (struct share){ .pass = &pass,
					    .ids = which.v + done,
					    .n_ids = end - done,
					    .v = list.v + done };
		done = end;
	}
	read_shares(shares, n);
	r = gather(shares, n, arena, &list, err);
	if (r == 0)
		*ret = list;
	return r;
}
