/*
 * device_rules.c - see device_rules.h.
 */
#include "plan/device_rules.h"

#include <errno.h>
#include <string.h>

/*
 * The devices of the specification's default list and the pseudo-terminals. Making device files is
 * allowed, for a file of a device that may not be opened does no harm and package managers make
 * them. runc appends the same list, which a configuration cannot take back; engines rely on it.
 */
static const struct {
	const char *path; /* not appended where the spec has a device of its own there */
	struct device_rule rule;
} always[] = {
	{ NULL, { true, 'c', -1, -1, DEVICE_MKNOD } },
	{ NULL, { true, 'b', -1, -1, DEVICE_MKNOD } },
	{ "/dev/null", { true, 'c', 1, 3, DEVICE_ALL } },
	{ "/dev/random", { true, 'c', 1, 8, DEVICE_ALL } },
	{ "/dev/full", { true, 'c', 1, 7, DEVICE_ALL } },
	{ "/dev/tty", { true, 'c', 5, 0, DEVICE_ALL } },
	{ "/dev/zero", { true, 'c', 1, 5, DEVICE_ALL } },
	{ "/dev/urandom", { true, 'c', 1, 9, DEVICE_ALL } },
	{ NULL, { true, 'c', 136, -1, DEVICE_ALL } }, /* /dev/pts/… */
	{ NULL, { true, 'c', 5, 2, DEVICE_ALL } },    /* /dev/ptmx */
};

#define N_ALWAYS (sizeof(always) / sizeof(always[0]))

/* ---- from the spec ----------------------------------------------------------------------------
 */

static int parse_access(const char *text, size_t index, unsigned int *ret, struct err *err)
{
	unsigned int access = 0;

	for (const char *c = text; *c; c++) {
		if (*c == 'r')
			access |= DEVICE_READ;
		else if (*c == 'w')
			access |= DEVICE_WRITE;
		else if (*c == 'm')
			access |= DEVICE_MKNOD;
		else
			return err_say(
			    err, -EINVAL,
			    "linux.resources.devices[%zu].access: \"%s\", expected letters "
			    "out of \"rwm\"",
			    index, text);
	}
	*ret = access;
	return 0;
}

/* What is about all devices becomes two rules, so that no rule has to be about both kinds. */
static int append(struct device_policy *policy, const struct spec_device_rule *from, size_t index,
		  struct err *err)
{
	struct device_rule rule = {
		.allow = from->allow,
		.type = from->type == 'b' ? 'b' : 'c',
		.major = from->major.has ? from->major.value : -1,
		.minor = from->minor.has ? from->minor.value : -1,
	};
	int r = parse_access(from->access ? from->access : "rwm", index, &rule.access, err);

	if (r < 0)
		return r;
	policy->rules[policy->n++] = rule;
	if (from->type != 'b' && from->type != 'c') {
		rule.type = 'b';
		policy->rules[policy->n++] = rule;
	}
	return 0;
}

static bool spec_has_device(const struct spec_linux *linux, const char *path)
{
	for (size_t i = 0; path && i < linux->n_devices; i++)
		if (strcmp(linux->devices[i].path, path) == 0)
			return true;
	return false;
}

/* ---- the plain form ---------------------------------------------------------------------------
 */

static bool is_about_all(const struct device_rule *rule)
{
	return rule->major < 0 && rule->minor < 0 && rule->access == DEVICE_ALL;
}

/* The number of the last rule about every device of a type, which ends what stood before it. */
static size_t last_reset(const struct device_policy *policy, char type)
{
	for (size_t i = policy->n; i-- > 0;)
		if (policy->rules[i].type == type && is_about_all(&policy->rules[i]))
			return i;
	return SIZE_MAX;
}

static bool covers(const struct device_rule *wide, const struct device_rule *narrow)
{
	return (wide->major < 0 || wide->major == narrow->major) &&
	       (wide->minor < 0 || wide->minor == narrow->minor);
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && (a->access & b->access) &&
	       (a->major < 0 || b->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || b->minor < 0 || a->minor == b->minor);
}

static void add_exception(struct device_policy *plain, const struct device_rule *rule)
{
	for (size_t i = 0; i < plain->n; i++) {
		struct device_rule *have = &plain->rules[i];

		if (have->type == rule->type && have->major == rule->major &&
		    have->minor == rule->minor) {
			have->access |= rule->access;
			return;
		}
	}
	plain->rules[plain->n++] = *rule;
}

/* Takes back what the rule covers. False: it covers a part of an exception. */
static bool take_back(struct device_policy *plain, const struct device_rule *rule)
{
	for (size_t i = 0; i < plain->n; i++) {
		struct device_rule *have = &plain->rules[i];

		if (!overlaps(have, rule))
			continue;
		if (!covers(rule, have))
			return false;
		have->access &= ~rule->access;
	}
	return true;
}

/* Exceptions without any access left, or within a wider one, need not be looked at. */
static void drop_needless(struct device_policy *plain)
{
	size_t n = 0;

	for (size_t i = 0; i < plain->n; i++) {
		const struct device_rule *rule = &plain->rules[i];
		bool needless = rule->access == 0;

		for (size_t j = 0; j < plain->n && !needless; j++)
			needless = j != i && plain->rules[j].type == rule->type &&
				   covers(&plain->rules[j], rule) &&
				   (rule->access & ~plain->rules[j].access) == 0;
		if (!needless)
			plain->rules[n++] = *rule;
	}
	plain->n = n;
}

/* Tries to say the same with exceptions to one default; leaves `plain` false if that fails. */
static void make_plain(const struct device_policy *policy, struct device_policy *plain)
{
	size_t reset_c = last_reset(policy, 'c'), reset_b = last_reset(policy, 'b');

	plain->allow = reset_c != SIZE_MAX && policy->rules[reset_c].allow && reset_b != SIZE_MAX &&
		       policy->rules[reset_b].allow;
	for (size_t i = 0; i < policy->n; i++) {
		const struct device_rule *rule = &policy->rules[i];
		size_t reset = rule->type == 'c' ? reset_c : reset_b;

		if (reset != SIZE_MAX && i < reset)
			continue;
		if (rule->allow != plain->allow)
			add_exception(plain, rule);
		else if (!take_back(plain, rule))
			return;
	}
	drop_needless(plain);
	plain->plain = true;
}

int device_policy_make(const struct spec_linux *linux, struct arena *arena,
		       struct device_policy *ret, struct err *err)
{
	const struct spec_resources *r = &linux->resources;
	size_t room = 2 * r->n_devices + N_ALWAYS;
	struct device_policy policy = { 0 }, plain = { 0 };

	policy.rules = arena_array(arena, room, sizeof(*policy.rules));
	plain.rules = arena_array(arena, room, sizeof(*plain.rules));
	if (!policy.rules || !plain.rules)
		return err_set(err, -ENOMEM, "translate linux.resources.devices");
	for (size_t i = 0; i < r->n_devices; i++) {
		int code = append(&policy, &r->devices[i], i, err);

		if (code < 0)
			return code;
	}
	for (size_t i = 0; i < N_ALWAYS; i++)
		if (!spec_has_device(linux, always[i].path))
			policy.rules[policy.n++] = always[i].rule;
	make_plain(&policy, &plain);
	*ret = plain.plain ? plain : policy;
	return 0;
}
