/*
 * default.c - see default.h.
 */
#include "spec/default.h"

#include <string.h>

static const char process_text[] =
    "{\n"
    "\t\"ociVersion\": \"" SPEC_VERSION "\",\n"
    "\t\"process\": {\n"
    "\t\t\"terminal\": true,\n"
    "\t\t\"user\": {\"uid\": 0, \"gid\": 0},\n"
    "\t\t\"args\": [\"sh\"],\n"
    "\t\t\"env\": [\n"
    "\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
    "\t\t\t\"TERM=xterm\"\n"
    "\t\t],\n"
    "\t\t\"cwd\": \"/\",\n"
    "\t\t\"capabilities\": {\n";

static const char *const capabilities[] = {
	"CHOWN",   "DAC_OVERRIDE", "FSETID",           "FOWNER",
	"MKNOD",   "NET_RAW",      "SETGID",           "SETUID",
	"SETFCAP", "SETPCAP",      "NET_BIND_SERVICE", "SYS_CHROOT",
	"KILL",    "AUDIT_WRITE",
};

static const char limits_text[] =
    "\t\t},\n"
    "\t\t\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}],\n"
    "\t\t\"noNewPrivileges\": true\n"
    "\t},\n"
    "\t\"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
    "\t\"hostname\": \"containr\",\n"
    "\t\"mounts\": [\n";

struct mount_row {
	const char *destination, *type, *source, *options;
};

static const struct mount_row mounts[] = {
	{ "/proc", "proc", "proc", "\"nosuid\", \"noexec\", \"nodev\"" },
	{ "/dev", "tmpfs", "tmpfs", "\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"" },
	{ "/dev/pts", "devpts", "devpts",
	  "\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"" },
	{ "/dev/shm", "tmpfs", "shm",
	  "\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"" },
	{ "/dev/mqueue", "mqueue", "mqueue", "\"nosuid\", \"noexec\", \"nodev\"" },
	{ "/sys", "sysfs", "sysfs", "\"nosuid\", \"noexec\", \"nodev\", \"ro\"" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup",
	  "\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"" },
	{ 0 },
};

/* An ordinary user has one group only, and may not mount a sysfs over the host's network. */
static const struct mount_row rootless_mounts[] = {
	{ "/dev/pts", "devpts", "devpts",
	  "\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"" },
	{ "/sys", "none", "/sys", "\"rbind\", \"nosuid\", \"noexec\", \"nodev\", \"ro\"" },
	{ 0 },
};

static const char paths_text[] =
    "\t\t\"maskedPaths\": [\n"
    "\t\t\t\"/proc/acpi\", \"/proc/asound\", \"/proc/interrupts\", \"/proc/kcore\",\n"
    "\t\t\t\"/proc/keys\", \"/proc/latency_stats\", \"/proc/sched_debug\", \"/proc/scsi\",\n"
    "\t\t\t\"/proc/timer_list\", \"/proc/timer_stats\", \"/sys/devices/virtual/powercap\",\n"
    "\t\t\t\"/sys/firmware\"\n"
    "\t\t],\n"
    "\t\t\"readonlyPaths\": [\n"
    "\t\t\t\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", "
    "\"/proc/sysrq-trigger\"\n"
    "\t\t]\n"
    "\t}\n"
    "}\n";

static void print_capabilities(struct buf *out)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	const size_t n = sizeof(capabilities) / sizeof(capabilities[0]);

	for (size_t s = 0; s < 3; s++) {
		buf_printf(out, "\t\t\t\"%s\": [", sets[s]);
		for (size_t i = 0; i < n; i++)
			buf_printf(out, "%s%s\"CAP_%s\"", i > 0 ? "," : "",
				   i % 5 == 0 ? "\n\t\t\t\t" : " ", capabilities[i]);
		buf_printf(out, "\n\t\t\t]%s\n", s < 2 ? "," : "");
	}
}

static void print_mounts(const struct spec_rootless *rootless, struct buf *out)
{
	for (const struct mount_row *m = mounts; m->destination; m++) {
		const struct mount_row *row = m, *other = rootless_mounts;

		for (; rootless && other->destination; other++)
			if (strcmp(other->destination, m->destination) == 0)
				row = other;
		buf_printf(out,
			   "\t\t{\"destination\": \"%s\", \"type\": \"%s\", \"source\": \"%s\",\n"
			   "\t\t \"options\": [%s]}%s\n",
			   row->destination, row->type, row->source, row->options,
			   m[1].destination ? "," : "");
	}
	buf_str(out, "\t],\n");
}

static void print_linux(const struct spec_rootless *rootless, struct buf *out)
{
	static const char *const kinds[] = { "pid", "ipc", "uts", "mount", "cgroup" };

	buf_str(out, "\t\"linux\": {\n");
	if (rootless)
		buf_printf(
		    out,
		    "\t\t\"uidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}],\n"
		    "\t\t\"gidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}],\n",
		    rootless->uid, rootless->gid);
	else
		buf_str(out, "\t\t\"resources\": {\"devices\": [{\"allow\": false, \"access\": "
			     "\"rwm\"}]},\n");
	buf_str(out, "\t\t\"namespaces\": [\n");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		buf_printf(out, "\t\t\t{\"type\": \"%s\"},\n", kinds[i]);
	buf_printf(out, "\t\t\t{\"type\": \"%s\"}\n\t\t],\n", rootless ? "user" : "network");
}

void spec_default(const struct spec_rootless *rootless, struct buf *out)
{
	buf_str(out, process_text);
	print_capabilities(out);
	buf_str(out, limits_text);
	print_mounts(rootless, out);
	print_linux(rootless, out);
	buf_str(out, paths_text);
}
