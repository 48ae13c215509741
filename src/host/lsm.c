/*
 * lsm.c - see lsm.h.
 */
#include "host/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/apparmor.h"
#include "host/selinux.h"
#include "sys/landlock.h"
#include "sys/sys.h"

#define SECURITYFS   "/sys/kernel/security"
#define PROFILES_CAP (4 * 1024 * 1024)
#define MODULES_MAX  32

static int read_text(const char *path, struct buf *text)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : buf_read_fd(text, fd, PROFILES_CAP);
}

/* The first character of a small file, or 0. */
static char first_char(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char c = 0;

	return fd >= 0 && read(fd, &c, 1) == 1 ? c : '\0';
}

/* ---- AppArmor ---------------------------------------------------------------------------- */

bool lsm_has_profile(const char *profiles, const char *name)
{
	size_t len = strlen(name);

	while (profiles && *profiles) {
		const char *end = strchr(profiles, '\n');

		if (strncmp(profiles, name, len) == 0 && strncmp(profiles + len, " (", 2) == 0)
			return true;
		profiles = end ? end + 1 : NULL;
	}
	return false;
}

/*
 * "unconfined", "NAME (MODE)" or, stacked, "A//&B (MODE)". A profile in the mode of the same name
 * only gives processes a label, as Ubuntu does to allow user namespaces: it restricts nothing else.
 */
static bool is_confined(void)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *label;

	if (read_text("/proc/self/attr/apparmor/current", &text) < 0)
		return false;
	label = buf_text(&text);
	return strncmp(label, "unconfined", strlen("unconfined")) != 0 &&
	       !strstr(label, "(unconfined)");
}

/*
 * For those who may not read the list: the kernel's answer to "what may a process with this label
 * do", which anybody may ask, is an error if there is no such profile.
 */
static bool is_loaded(const char *name)
{
	static const char question[] = "label", file_class[] = "\2\0/";
	_cleanup_close_ int fd = open(SECURITYFS "/apparmor/.access", O_RDWR | O_CLOEXEC);
	_cleanup_buf_ struct buf query = { 0 };

	buf_add(&query, question, sizeof(question));
	buf_add(&query, name, strlen(name) + 1);
	buf_add(&query, file_class, sizeof(file_class) - 1);
	return fd >= 0 && !query.failed && write(fd, query.data, query.len) == (ssize_t)query.len;
}

static int read_apparmor(struct arena *arena, struct lsm_facts *facts, struct err *err)
{
	_cleanup_buf_ struct buf list = { 0 };

	facts->apparmor = first_char("/sys/module/apparmor/parameters/enabled") == 'Y';
	if (!facts->apparmor)
		return 0;
	facts->apparmor_confined = is_confined();
	if (read_text(SECURITYFS "/apparmor/profiles", &list) < 0) {
		/* securityfs is not mounted, or not for us */
		facts->apparmor_default = is_loaded(APPARMOR_DEFAULT);
		return 0;
	}
	facts->apparmor_profiles = arena_strndup(arena, buf_text(&list), list.len);
	facts->apparmor_default = lsm_has_profile(facts->apparmor_profiles, APPARMOR_DEFAULT);
	return facts->apparmor_profiles ? 0 : err_set(err, -ENOMEM, "read AppArmor's profiles");
}

int lsm_facts_read(struct arena *arena, struct lsm_facts *ret, struct err *err)
{
	struct lsm_facts facts = { .apparmor = false };
	int r = read_apparmor(arena, &facts, err);

	if (r < 0)
		return r;
	facts.selinux = selinux_is_enabled();
	*ret = facts;
	return 0;
}

bool lsm_restricts_userns(void)
{
	return first_char("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1';
}

unsigned int lsm_landlock_abi(void)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (unsigned int)abi : 0;
}

/* ---- the list ------------------------------------------------------------------------------ */

/* LSM_ID_* of include/uapi/linux/lsm.h, from 100 on. */
static const char *const module_names[] = {
	"capability", "selinux",  "smack", "tomoyo",   "apparmor", "yama", "loadpin",
	"safesetid",  "lockdown", "bpf",   "landlock", "ima",      "evm",  "ipe",
};

/* lsm_list_modules(2), Linux 6.8: the way where securityfs is not mounted. */
static void ask_modules(struct buf *out)
{
	uint64_t ids[MODULES_MAX];
	uint32_t size = sizeof(ids);
	long n = sys_call_3(SYS_lsm_list_modules, ids, &size, 0);

	for (long i = 0; i < n; i++) {
		uint64_t at = ids[i] - 100;

		buf_str(out, i > 0 ? "," : "");
		if (at < sizeof(module_names) / sizeof(module_names[0]))
			buf_str(out, module_names[at]);
		else
			buf_printf(out, "%llu", (unsigned long long)ids[i]);
	}
}

void lsm_modules(struct buf *out)
{
	_cleanup_buf_ struct buf list = { 0 };

	if (read_text(SECURITYFS "/lsm", &list) == 0 && list.len > 0)
		buf_add(out, list.data, strcspn(list.data, "\n"));
	else
		ask_modules(out);
}

/* ---- the report ------------------------------------------------------------------------------ */

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void report_apparmor(const struct lsm_facts *facts, struct buf *out)
{
	buf_str(out, "apparmor: ");
	if (!facts->apparmor) {
		buf_str(out, "not active\n");
		return;
	}
	buf_str(out, "active");
	if (facts->apparmor_profiles)
		buf_printf(out, ", %zu profiles", count_lines(facts->apparmor_profiles));
	buf_printf(out, ", " APPARMOR_DEFAULT " is %s",
		   facts->apparmor_default ? "loaded" : "not loaded");
	if (facts->apparmor_confined)
		buf_str(out, ", and this program is confined itself");
	if (lsm_restricts_userns())
		buf_str(out, "; ordinary users can make user namespaces only under a profile that "
			     "allows it");
	buf_str(out, "\n");
}

static void report_selinux(struct buf *out)
{
	if (!selinux_is_enabled())
		buf_str(out, "selinux: not active\n");
	else if (!selinux_has_context(SELINUX_DEFAULT_LABEL))
		buf_printf(out,
			   "selinux: %s, but the policy does not know " SELINUX_DEFAULT_TYPE "\n",
			   selinux_is_enforcing() ? "enforcing" : "permissive");
	else
		buf_printf(out, "selinux: %s\n",
			   selinux_is_enforcing() ? "enforcing" : "permissive: it only warns");
}

void lsm_report(struct buf *out)
{
	_cleanup_(arena_done) struct arena arena = { 0 };
	const unsigned int landlock_abi = lsm_landlock_abi();
	struct lsm_facts facts = { .apparmor = false };
	struct err err;

	buf_str(out, "modules: ");
	lsm_modules(out);
	buf_str(out, "\n");
	if (lsm_facts_read(&arena, &facts, &err) < 0)
		buf_printf(out, "apparmor: %s\n", err.msg);
	else
		report_apparmor(&facts, out);
	report_selinux(out);
	if (landlock_abi > 0)
		buf_printf(out, "landlock: active, ABI %u\n", landlock_abi);
	else
		buf_str(out, "landlock: not active\n");
}
