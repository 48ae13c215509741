/*
 * run_resources.c - limits: linux.resources from the flags of docker, in its units.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/num.h"
#include "cli/people.h"

#define CPU_PERIOD 100000 /* microseconds, the kernel's own default */

/* ---- memory -------------------------------------------------------------------------------------
 */

static int put_size(struct people *p, struct buf *out, const char *flag, const char *text,
		    const char *key)
{
	uint64_t bytes;
	int r;

	if (!given(text))
		return 0;
	r = value_size(p->err, flag, text, &bytes);
	if (r == 0 && bytes > 0) /* 0 means no limit */
		out_unsigned(out, key, bytes);
	return r;
}

/* Where the kernel counts no swap, the limit that Docker has by default cannot be had. */
static bool counts_swap(const struct people *p)
{
	return p->facts.cgroup.mode == CGROUP_V2 ||
	       access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0;
}

static int put_swap(struct people *p, struct buf *out)
{
	const char *swap = p->flags->memory_swap;
	uint64_t limit = 0, total = 0;
	int r = 0;

	if (given(p->flags->memory))
		r = value_size(p->err, "memory", p->flags->memory, &limit);
	if (r < 0)
		return r;
	if (!given(swap) || strcmp(swap, "0") == 0) {
		if (limit > 0 && limit < INT64_MAX / 2 && counts_swap(p))
			out_unsigned(out, "swap", 2 * limit);
		return 0;
	}
	if (strcmp(swap, "-1") == 0) {
		out_num(out, "swap", -1);
		return 0;
	}
	r = value_size(p->err, "memory-swap", swap, &total);
	if (r < 0)
		return r;
	if (limit == 0 || total < limit)
		return err_say(p->err, -EINVAL,
			       "--memory-swap %.100s: is memory and swap together, expected at "
			       "least --memory, or -1",
			       swap);
	out_unsigned(out, "swap", total);
	return 0;
}

static int put_memory(struct people *p, struct buf *out)
{
	const struct run_flags *f = p->flags;
	int64_t swappiness = -1;
	int r;

	out_open(out, "memory", '{');
	r = put_size(p, out, "memory", f->memory, "limit");
	if (r == 0)
		r = put_size(p, out, "memory-reservation", f->memory_reservation, "reservation");
	if (r == 0)
		r = put_size(p, out, "kernel-memory", f->kernel_memory, "kernel");
	if (r == 0)
		r = put_swap(p, out);
	if (r == 0 && given(f->memory_swappiness))
		r = value_number(p->err, "memory-swappiness", f->memory_swappiness, -1, 100,
				 &swappiness);
	if (swappiness >= 0)
		out_num(out, "swappiness", swappiness);
	if (f->oom_kill_disable)
		out_bool(out, "disableOOMKiller", true);
	out_close(out, '}');
	p->memory_limit = f->memory;
	return r;
}

/* ---- cpu ----------------------------------------------------------------------------------------
 */

static int put_number(struct people *p, struct buf *out, const char *flag, const char *text,
		      const char *key)
{
	int64_t number;
	int r;

	if (!given(text))
		return 0;
	r = value_number(p->err, flag, text, 0, INT64_MAX, &number);
	if (r == 0 && number > 0)
		out_num(out, key, number);
	return r;
}

/* --cpus is another way to say --cpu-period and --cpu-quota. */
static int put_cpus(struct people *p, struct buf *out)
{
	const struct run_flags *f = p->flags;
	uint64_t quota;
	int r;

	if (!given(f->cpus))
		return 0;
	if (given(f->cpu_period) || given(f->cpu_quota))
		return err_say(p->err, -EINVAL,
			       "--cpus %.50s: says the same as --cpu-period and --cpu-quota, "
			       "expected one of them",
			       f->cpus);
	r = value_decimal(p->err, "cpus", f->cpus, CPU_PERIOD, &quota);
	if (r < 0 || quota == 0)
		return r;
	if (quota < 1000)
		return err_say(p->err, -EINVAL, "--cpus %.50s: the kernel's least is 0.01",
			       f->cpus);
	out_unsigned(out, "quota", quota);
	out_unsigned(out, "period", CPU_PERIOD);
	return 0;
}

static int put_cpu(struct people *p, struct buf *out)
{
	const struct run_flags *f = p->flags;
	const struct {
		const char *flag, *text, *key;
	} numbers[] = {
		{ "cpu-shares", f->cpu_shares, "shares" },
		{ "cpu-period", f->cpu_period, "period" },
		{ "cpu-quota", f->cpu_quota, "quota" },
		{ "cpu-rt-period", f->cpu_rt_period, "realtimePeriod" },
		{ "cpu-rt-runtime", f->cpu_rt_runtime, "realtimeRuntime" },
	};
	int r;

	out_open(out, "cpu", '{');
	r = put_cpus(p, out);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && r == 0; i++)
		r = put_number(p, out, numbers[i].flag, numbers[i].text, numbers[i].key);
	if (given(f->cpuset_cpus))
		out_str(out, "cpus", f->cpuset_cpus);
	if (given(f->cpuset_mems))
		out_str(out, "mems", f->cpuset_mems);
	out_close(out, '}');
	p->cpus_limit = f->cpus;
	return r;
}

static int put_pids(struct people *p, struct buf *out)
{
	const char *text = p->flags->pids_limit;
	int64_t limit;
	int r;

	if (!given(text))
		return 0;
	r = value_number(p->err, "pids-limit", text, -1, INT64_MAX, &limit);
	if (r < 0 || limit <= 0) /* as docker has it, 0 is no limit, too */
		return r;
	out_open(out, "pids", '{');
	out_num(out, "limit", limit);
	out_close(out, '}');
	p->pids_limit = text;
	return 0;
}

/* ---- blkio --------------------------------------------------------------------------------------
 */

/* "/dev/sda:1mb" becomes an item with the numbers of the device. */
static int put_device_value(struct people *p, struct buf *out, const char *flag, const char *value,
			    const char *key)
{
	const char *rest, *path = value_part(p->arena, value, ':', &rest);
	bool is_bytes = strstr(flag, "bps") != NULL;
	uint64_t number = 0;
	struct stat st;
	int r;

	if (!given(rest))
		return err_say(p->err, -EINVAL, "--%s %.200s: expected DEVICE:%s", flag, value,
			       is_bytes ? "RATE, as in /dev/sda:1mb"
					: "NUMBER, as in /dev/sda:500");
	if (stat(path, &st) < 0)
		return err_set(p->err, -errno, "--%s %.200s: %s", flag, value, path);
	if (!S_ISBLK(st.st_mode))
		return err_say(p->err, -EINVAL, "--%s %.200s: %s is no block device", flag, value,
			       path);
	r = is_bytes ? value_size(p->err, flag, rest, &number) : num_u64(rest, INT64_MAX, &number);
	if (r < 0)
		return is_bytes ? r
				: err_say(p->err, -EINVAL, "--%s %.200s: expected a whole number",
					  flag, value);
	out_open(out, NULL, '{');
	out_unsigned(out, "major", major(st.st_rdev));
	out_unsigned(out, "minor", minor(st.st_rdev));
	out_unsigned(out, key, number);
	out_close(out, '}');
	return 0;
}

static int put_blkio(struct people *p, struct buf *out)
{
	const struct run_flags *f = p->flags;
	const struct {
		const char *flag;
		const struct spec_strings *list;
		const char *key, *value_key;
	} lists[] = {
		{ "blkio-weight-device", &f->blkio_weight_devices, "weightDevice", "weight" },
		{ "device-read-bps", &f->read_bps, "throttleReadBpsDevice", "rate" },
		{ "device-write-bps", &f->write_bps, "throttleWriteBpsDevice", "rate" },
		{ "device-read-iops", &f->read_iops, "throttleReadIOPSDevice", "rate" },
		{ "device-write-iops", &f->write_iops, "throttleWriteIOPSDevice", "rate" },
	};
	int64_t weight = 0;
	int r = 0;

	out_open(out, "blockIO", '{');
	if (given(f->blkio_weight))
		r = value_number(p->err, "blkio-weight", f->blkio_weight, 0, 1000, &weight);
	if (r == 0 && weight > 0 && weight < 10)
		r = err_say(p->err, -EINVAL, "--blkio-weight %.50s: expected 10 to 1000",
			    f->blkio_weight);
	if (weight > 0)
		out_num(out, "weight", weight);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++) {
		out_open(out, lists[i].key, '[');
		for (size_t k = 0; k < lists[i].list->n && r == 0; k++)
			r = put_device_value(p, out, lists[i].flag, lists[i].list->v[k],
					     lists[i].value_key);
		out_close(out, ']');
	}
	out_close(out, '}');
	return r;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static int put_unified(struct people *p, struct buf *out)
{
	const struct spec_strings *list = &p->flags->cgroup_conf;

	if (list->n == 0)
		return 0;
	out_open(out, "unified", '{');
	for (size_t i = 0; i < list->n; i++) {
		const char *rest, *key = value_part(p->arena, list->v[i], '=', &rest);

		if (!*key || !given(rest))
			return err_say(p->err, -EINVAL,
				       "--cgroup-conf %.200s: expected FILE=VALUE, as in "
				       "memory.high=1073741824",
				       list->v[i]);
		out_str(out, key, rest);
	}
	out_close(out, '}');
	return 0;
}

int run_resources(struct people *p)
{
	struct buf *out = &p->linux;
	const char *parent = p->flags->cgroup_parent;
	int r;

	out_open(out, "resources", '{');
	out_part(out, "devices", '[', &p->device_rules);
	r = put_memory(p, out);
	if (r == 0)
		r = put_cpu(p, out);
	if (r == 0)
		r = put_pids(p, out);
	if (r == 0)
		r = put_blkio(p, out);
	if (r == 0)
		r = put_unified(p, out);
	out_close(out, '}');
	if (r == 0 && given(parent))
		out_str(out, "cgroupsPath",
			arena_printf(p->arena,
				     people_manager_is(p, "systemd") ? "%s:containr:%s" : "%s/%s",
				     parent, p->id));
	return r;
}
