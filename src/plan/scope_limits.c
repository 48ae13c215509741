/*
 * scope_limits.c - what systemd is told of a scope: limits, and properties from annotations.
 *
 * systemd writes the limits that it knows into the cgroup's files whenever it is reloaded. So it is
 * told those that it has a property for; all are written to the files besides, exactly and with
 * those that it does not know. On v1 the container is in a directory below the scope, and only a
 * limit of processes that systemd sets by itself would bind it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "plan/process_text.h"
#include "plan/scope.h"
#include "plan/unit_value.h"

#define ANNOTATION "org.systemd.property."

/* ---- limits -----------------------------------------------------------------------------------
 */

enum form {
	FORM_NUMBER, /* "max" is infinity */
	FORM_QUOTA,  /* "50000 100000" */
	FORM_LIST,   /* "0-3,5" */
	FORM_IDLE,   /* 1: a weight of 0, from systemd 252 on */
};

static const struct {
	const char *file, *property;
	enum form form;
} known[] = {
	{ "memory.max", "MemoryMax", FORM_NUMBER },
	{ "memory.high", "MemoryHigh", FORM_NUMBER },
	{ "memory.low", "MemoryLow", FORM_NUMBER },
	{ "memory.min", "MemoryMin", FORM_NUMBER },
	{ "memory.swap.max", "MemorySwapMax", FORM_NUMBER },
	{ "cpu.weight", "CPUWeight", FORM_NUMBER },
	{ "cpu.idle", "CPUWeight", FORM_IDLE },
	{ "cpu.max", "CPUQuotaPerSecUSec", FORM_QUOTA },
	{ "cpuset.cpus", "AllowedCPUs", FORM_LIST },
	{ "cpuset.mems", "AllowedMemoryNodes", FORM_LIST },
	{ "pids.max", "TasksMax", FORM_NUMBER },
};

struct list {
	struct planner *p;
	struct dbus_property *v;
	size_t n, room;
};

static void add(struct list *l, const char *name, struct dbus_value value, const char *text)
{
	if (l->n < l->room)
		l->v[l->n++] = (struct dbus_property){ name, value, text };
}

static void add_number(struct list *l, const char *name, uint64_t number)
{
	union dbus_basic *v = arena_alloc(plan_arena(l->p), sizeof(*v));

	if (!v)
		return;
	v->number = number;
	add(l, name, (struct dbus_value){ "t", 1, v },
	    number == UINT64_MAX
		? "infinity"
		: arena_printf(plan_arena(l->p), "%llu", (unsigned long long)number));
}

/* False: the kernel may take it ("1G"), and then it is written to the file alone. */
static bool read_number(const char *text, uint64_t *ret)
{
	if (strcmp(text, "max") != 0)
		return num_u64(text, UINT64_MAX, ret) == 0;
	*ret = UINT64_MAX;
	return true;
}

/* systemd has whole percents of a CPU, so that a quota is rounded up to 10 ms a second. */
static void add_quota(struct list *l, const char *value)
{
	const char *space = strchr(value, ' ');
	const char *first = arena_strndup(plan_arena(l->p), value, strcspn(value, " "));
	uint64_t quota, period = 100000, usec = UINT64_MAX;

	if (!first || !read_number(first, &quota) ||
	    (space && num_u64(space + 1, UINT32_MAX, &period) < 0) || period == 0)
		return;
	if (quota <= UINT32_MAX * 1024ULL)
		usec = (quota * 1000000 / period + 9999) / 10000 * 10000;
	add_number(l, "CPUQuotaPerSecUSec", usec);
	add_number(l, "CPUQuotaPeriodUSec", period);
}

/* A mask, the first CPU being the lowest bit of the first byte. */
static void add_list(struct list *l, const char *name, const char *value)
{
	struct arena *arena = plan_arena(l->p);
	struct err ignored;
	const uint8_t *mask;
	union dbus_basic *v;
	size_t size;

	if (cpu_list_parse(value, arena, &mask, &size, &ignored) < 0)
		return; /* the kernel says what is wrong with it */
	v = arena_array(arena, size, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < size; i++)
		v[i].number = mask[(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
				       ? i
				       : (i ^ (sizeof(unsigned long) - 1))];
	add(l, name, (struct dbus_value){ "ay", size, v }, value);
}

static void add_limit(struct list *l, size_t i, const char *value)
{
	uint64_t number = 0;

	switch (known[i].form) {
	case FORM_NUMBER:
		if (read_number(value, &number))
			add_number(l, known[i].property, number);
		break;
	case FORM_QUOTA:
		add_quota(l, value);
		break;
	case FORM_LIST:
		add_list(l, known[i].property, value);
		break;
	case FORM_IDLE:
		if (strcmp(value, "1") == 0)
			add_number(l, known[i].property, 0);
		break;
	}
}

size_t scope_limits(struct planner *p, const struct cgroup_settings *settings, bool v2,
		    struct dbus_property *ret, size_t room)
{
	struct list l = { .p = p, .v = ret, .room = room };

	for (const struct cgroup_setting *s = settings->first; s; s = s->next)
		for (size_t i = 0; s->file && i < sizeof(known) / sizeof(known[0]); i++)
			if (strcmp(s->file, known[i].file) == 0 &&
			    (v2 || strcmp(s->file, "pids.max") == 0))
				add_limit(&l, i, s->value);
	return l.n;
}

/* ---- annotations ------------------------------------------------------------------------------
 */

/* Without these the unit is not what `delete` and the limits take it for. */
static bool is_ours(const char *name)
{
	static const char *const names[] = { "Description", "Slice", "Delegate", "PIDs", "PIDFDs" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool refuse(struct planner *p, const struct spec_pair *annotation, const char *why)
{
	(void)err_say(p->err, -EINVAL, "annotations[\"%s\"]: \"%s\": %s", annotation->key,
		      annotation->value, why);
	return false;
}

static bool is_property_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return len >= 3 && name[len] == '\0';
}

/* "TimeoutStopSec", but not "TimeoutStopUSec". */
static bool is_in_seconds(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && strcmp(name + len - 3, "Sec") == 0 && name[len - 4] >= 'a' &&
	       name[len - 4] <= 'z';
}

static bool add_annotation(struct list *l, const struct spec_pair *annotation)
{
	const char *name = annotation->key + strlen(ANNOTATION);
	struct arena *arena = plan_arena(l->p);
	struct dbus_value value;
	int r;

	if (!is_property_name(name))
		return refuse(l->p, annotation,
			      "the name of a property has three or more letters and nothing else");
	if (is_ours(name))
		return refuse(l->p, annotation, "this property is not yours to set");
	r = unit_value_parse(annotation->value, arena, &value);
	if (r == -ERANGE)
		return refuse(l->p, annotation,
			      "the number is beyond its type (a plain one is an int32): write "
			      "\"uint64 5\"");
	if (r < 0)
		return refuse(l->p, annotation,
			      "expected a value as of `gdbus call`: 'text', true, 5, uint64 5, "
			      "1.5, ['a', 'b']");
	if (is_in_seconds(name)) {
		name = arena_printf(arena, "%.*sUSec", (int)strlen(name) - 3, name);
		if (unit_value_usec(&value, arena) < 0)
			return refuse(l->p, annotation, "expected a number of seconds");
	}
	if (l->n == l->room)
		return refuse(l->p, annotation, "there are too many properties");
	add(l, name, value, annotation->value);
	return true;
}

bool scope_annotations(struct planner *p, struct dbus_property *ret, size_t room, size_t *n)
{
	const struct spec_pairs *all = &p->spec->annotations;
	struct list l = { .p = p, .v = ret, .n = *n, .room = room };

	for (size_t i = 0; i < all->n; i++)
		if (strncmp(all->v[i].key, ANNOTATION, strlen(ANNOTATION)) == 0 &&
		    !add_annotation(&l, &all->v[i]))
			return false;
	*n = l.n;
	return true;
}
