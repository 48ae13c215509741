#include "bench.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- words ----------------------------------------------------------------------------------- */

/* A formatted string that lives as long as the program. */
char *bench_text(const char *fmt, ...)
{
	char *ret;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&ret, fmt, args) < 0)
		measure_die("no memory");
	va_end(args);
	return ret;
}

/* Splits at blanks. */
char **bench_words(char *line)
{
	char **ret = calloc(128, sizeof(*ret));
	size_t n = 0;

	if (!ret)
		measure_die("no memory");
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		ret[n++] = word;
	return ret;
}

struct subject *bench_subject(const char *name, char *line)
{
	struct subject *ret = calloc(1, sizeof(*ret));

	if (!ret)
		measure_die("no memory");
	ret->name = name;
	ret->argv = bench_words(line);
	ret->mntns = -1;
	return ret;
}

void bench_add(struct series *s, struct subject *subject)
{
	if (subject)
		s->subjects[s->n++] = subject;
}

/* ---- subjects -------------------------------------------------------------------------------- */

struct subject *bench_floor_a(const struct setup *u)
{
	return bench_subject(
	    "floorA", bench_text("%s/floor -m docker -a classic -c into -b -s %s/docker-linear.bpf "
				 "%s/docker/rootfs /bin/true",
				 u->work, u->work, u->work));
}

struct subject *bench_floor_b(const struct setup *u, const char *name, const char *cgroup)
{
	return bench_subject(name, bench_text("%s/floor-musl -m docker -a new -v %s -s "
					      "%s/docker-tree.bpf %s/docker/rootfs /bin/true",
					      u->work, cgroup, u->work, u->work));
}

char *bench_state(const struct setup *u, const char *runtime)
{
	const char *slash = strrchr(runtime, '/');

	return bench_text("%s/state/%s", u->work, slash ? slash + 1 : runtime);
}

char *bench_bundle(const struct setup *u, const char *runtime, const char *bundle)
{
	return bench_text("%s/%s%s", u->work, bundle,
			  u->crun && runtime == u->crun ? u->crun_suffix : "");
}

/* `run` of a bundle with a runtime; NULL where that is not installed. */
struct subject *bench_runner(const struct setup *u, const char *name, const char *runtime,
			     const char *bundle)
{
	struct subject *ret;

	if (!runtime)
		return NULL;
	char *path = bench_bundle(u, runtime, bundle);
	ret = bench_subject(name, bench_text("%s --root %s run --bundle %s @", runtime,
					     bench_state(u, runtime), path));
	ret->bundle = path;
	ret->suffix = path + strlen(u->work) + 1 + strlen(bundle);
	return ret;
}

/* Each start reads the filter from descriptor 9 to its end. */
static void rewind_filter(struct subject *s, uint64_t number)
{
	(void)s;
	(void)number;
	(void)lseek(9, 0, SEEK_SET);
}

/* Options for those of the masked and read-only paths that this kernel has. */
static const char *mask_options(void)
{
	static const char *const rows[][2] = {
		{ "--ro-bind /dev/null", "/proc/kcore" },
		{ "--ro-bind /dev/null", "/proc/keys" },
		{ "--ro-bind /dev/null", "/proc/timer_list" },
		{ "--tmpfs", "/proc/acpi" },
		{ "--tmpfs", "/sys/firmware" },
		{ "--ro-bind /proc/fs", "/proc/fs" },
		{ "--ro-bind /proc/irq", "/proc/irq" },
		{ "--ro-bind /proc/sys", "/proc/sys" },
	};
	char *ret = bench_text("%s", "");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (access(rows[i][1], F_OK) == 0)
			ret = bench_text("%s %s %s", ret, rows[i][0], rows[i][1]);
	return ret;
}

/* The same namespaces, mounts, filter and, as far as it can, masked and read-only paths. */
struct subject *bench_bubblewrap(const struct setup *u)
{
	struct subject *ret;

	if (!u->bwrap)
		return NULL;
	ret = bench_subject(
	    "bubblewrap",
	    bench_text(
		"%s --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup "
		"--bind %s/docker/rootfs / --proc /proc --dev /dev --mqueue /dev/mqueue "
		"--ro-bind /sys /sys --ro-bind /etc/resolv.conf /etc/resolv.conf "
		"%s --hostname floor --cap-drop ALL "
		"--seccomp 9 /bin/true",
		u->bwrap, u->work, mask_options()));
	ret->prepare = rewind_filter;
	return ret;
}

/* ---- rows ------------------------------------------------------------------------------------ */

void bench_row(const char *what, const char *target, bool reached, const char *fmt, double value)
{
	printf("| %s | %s | ", what, target);
	printf(fmt, value);
	printf(" | %s |\n", reached ? "pass" : "**miss**");
	fflush(stdout);
}

void bench_ratio(const char *what, const struct subject *a, const struct subject *b, size_t n,
		 double limit)
{
	double ratio = measure_ratio(a->ns, b->ns, n);

	bench_row(what, bench_text("&le; %.2f &times; %s", limit, b->name), ratio <= limit, "%.2f",
		  ratio);
}

void bench_note(const struct setup *u, const struct series *s)
{
	for (size_t i = 0; i < s->n; i++) {
		uint64_t sorted = measure_median(s->subjects[i]->ns, s->rounds);
		fprintf(u->times, "| %s | %s | %.3f | %.2f |\n", s->name, s->subjects[i]->name,
			(double)sorted / 1e6,
			measure_ratio(s->subjects[i]->ns, s->subjects[0]->ns, s->rounds));
	}
	fflush(u->times);
}
