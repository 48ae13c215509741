/*
 * config_caps.c - capabilities, the user that has them, and the end of all confinement.
 *
 * The bounding set is the container's. Root has all of it; any other user has only what was added
 * by name, which is made ambient, for otherwise adding it would have no effect (moby#8460).
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/document.h"
#include "base/cleanup.h"
#include "host/facts.h"
#include "spec/landlock.h"
#include "spec/names.h"

static void put_set(struct buf *out, const char *key, uint64_t set)
{
	const char *comma = "";

	buf_printf(out, "\"%s\":[", key);
	for (unsigned int i = 0; i < 64; i++) {
		const char *name = set >> i & 1 ? spec_name_of(spec_capability_names, i) : NULL;

		if (!name)
			continue;
		buf_printf(out, "%s\"%s\"", comma, name);
		comma = ",";
	}
	buf_str(out, "]");
}

static int put_caps(struct containr_config *config, const struct spec_capabilities *caps,
		    struct err *err)
{
	_cleanup_buf_ struct buf value = { 0 };

	buf_str(&value, "{");
	put_set(&value, "bounding", caps->bounding);
	buf_str(&value, ",");
	put_set(&value, "effective", caps->effective);
	buf_str(&value, ",");
	put_set(&value, "permitted", caps->permitted);
	buf_str(&value, ",");
	put_set(&value, "inheritable", caps->inheritable);
	buf_str(&value, ",");
	put_set(&value, "ambient", caps->ambient);
	buf_str(&value, "}");
	if (value.failed)
		return err_set(err, -ENOMEM, "change the configuration");
	return config_edit(config, "process/capabilities", buf_text(&value), false, err);
}

/* In a user namespace there are all of them, for what belongs to it. */
static int all_caps(struct config_view *view, uint64_t *ret, struct err *err)
{
	struct facts facts;
	int r = facts_read(0, &view->arena, &facts, err);

	if (r < 0)
		return r;
	*ret = facts.caps & facts.known_caps;
	if (spec_namespace(&view->spec, CLONE_NEWUSER))
		*ret = facts.known_caps;
	return 0;
}

static int read_name(struct config_view *view, const char *name, uint64_t *ret, struct err *err)
{
	int r = api_check_text("capability", name, err);
	const char *bare;

	if (r < 0)
		return r;
	bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
	if (strcasecmp(bare, "ALL") == 0)
		return all_caps(view, ret, err);
	for (const struct spec_name *c = spec_capability_names; c->name; c++)
		if (strcasecmp(c->name + 4, bare) == 0) {
			*ret = 1ULL << c->value;
			return 0;
		}
	(void)err_say(err, -EINVAL, "capability \"%.100s\": there is no such capability", name);
	return err_hint(err, "capabilities(7) lists them; ALL means all");
}

static void raise_caps(struct spec_capabilities *caps, uint32_t uid, uint64_t set)
{
	caps->bounding |= set;
	caps->effective |= set;
	caps->permitted |= set;
	caps->inheritable |= uid == 0 ? 0 : set;
	caps->ambient |= uid == 0 ? 0 : set;
}

static void lower_caps(struct spec_capabilities *caps, uint64_t set)
{
	caps->bounding &= ~set;
	caps->effective &= ~set;
	caps->permitted &= ~set;
	caps->inheritable &= ~set;
	caps->ambient &= ~set;
}

static int change(struct containr_config *config, const char *name, bool add, struct err *err)
{
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	struct spec_capabilities caps;
	uint64_t set = 0;
	int r = config_view(buf_text(&config->text), config->text.len, &view, err);

	if (r == 0)
		r = read_name(&view, name, &set, err);
	if (r < 0)
		return r;
	caps = view.spec.process.capabilities;
	if (add)
		raise_caps(&caps, view.spec.process.user.uid, set);
	else
		lower_caps(&caps, set);
	return put_caps(config, &caps, err);
}

int containr_config_cap_add(struct containr_config *config, const char *name,
			    struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(change(config, name, true, &err), &err, error);
}

int containr_config_cap_drop(struct containr_config *config, const char *name,
			     struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(change(config, name, false, &err), &err, error);
}

/* ---- user ------------------------------------------------------------------------------------ */

static int set_user(struct containr_config *work, uint32_t uid, uint32_t gid, struct err *err)
{
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	struct spec_capabilities caps = { .has = true };
	int r = config_view(buf_text(&work->text), work->text.len, &view, err);

	if (r == 0)
		r = config_edit_number(work, "process/user/uid", uid, err);
	if (r == 0)
		r = config_edit_number(work, "process/user/gid", gid, err);
	if (r < 0)
		return r;
	caps.bounding = view.spec.process.capabilities.bounding;
	caps.effective = caps.permitted = uid == 0 ? caps.bounding : 0;
	return put_caps(work, &caps, err);
}

int containr_config_set_user(struct containr_config *config, uint32_t uid, uint32_t gid,
			     struct containr_error *error)
{
	struct containr_config work;
	struct err err = { 0 };
	int r = config_copy(config, &work, &err);

	if (r == 0)
		r = set_user(&work, uid, gid, &err);
	return api_end(config_commit(config, &work, r), &err, error);
}

/* ---- privileged ------------------------------------------------------------------------------ */

/* What confines, place by place; NULL: it goes. */
static const struct {
	const char *path, *value;
} opened[] = {
	{ "process/noNewPrivileges", "false" },
	{ "process/apparmorProfile", NULL },
	{ "process/selinuxLabel", NULL },
	{ "linux/mountLabel", NULL },
	{ "linux/maskedPaths", "[]" },
	{ "linux/readonlyPaths", "[]" },
	{ "annotations/" SPEC_LANDLOCK_KEY, NULL },
};

static bool is_kernel_mount(const struct spec_mount *m)
{
	return m->type && (strcmp(m->type, "sysfs") == 0 || strncmp(m->type, "cgroup", 6) == 0);
}

/* The mount without "ro". */
static void open_mount(const struct json *item, const struct spec_mount *m, struct buf *out)
{
	_cleanup_buf_ struct buf words = { 0 };
	struct document_edit edit = { .path = "options" };

	buf_str(&words, "[");
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], "ro") != 0) {
			buf_str(&words, words.len > 1 ? "," : "");
			buf_json_str(&words, m->options.v[i]);
		}
	buf_str(&words, "]");
	edit.value = buf_text(&words);
	document_write(item, &edit, out);
	out->failed |= words.failed;
}

static void open_mounts(const struct config_view *view, struct buf *out)
{
	const struct json *list = document_get(view->doc.values, "mounts");
	const struct json *item = list ? json_first(list) : NULL;

	buf_str(out, "[");
	for (const struct spec_mount *m = view->spec.mounts; item;
	     item = json_next(list, item), m++) {
		buf_str(out, m != view->spec.mounts ? "," : "");
		if (is_kernel_mount(m))
			open_mount(item, m, out);
		else
			document_write_value(item, out);
	}
	buf_str(out, "]");
}

static int open_rest(struct containr_config *work, struct err *err)
{
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	_cleanup_buf_ struct buf mounts = { 0 };
	struct spec_capabilities caps;
	uint64_t all = 0;
	int r = config_view(buf_text(&work->text), work->text.len, &view, err);

	if (r == 0)
		r = all_caps(&view, &all, err);
	if (r < 0)
		return r;
	caps = view.spec.process.capabilities;
	caps.bounding = all;
	if (view.spec.process.user.uid == 0)
		caps.effective = caps.permitted = all;
	open_mounts(&view, &mounts);
	if (mounts.failed)
		return err_set(err, -ENOMEM, "change the configuration");
	r = put_caps(work, &caps, err);
	if (r == 0)
		r = config_edit(work, "mounts", buf_text(&mounts), false, err);
	/* Where there is a list of devices, it names all; an ordinary user has none. */
	if (r == 0 && document_get(view.doc.values, "linux/resources/devices"))
		r = config_edit(work, "linux/resources/devices",
				"[{\"allow\":true,\"access\":\"rwm\"}]", false, err);
	return r;
}

int containr_config_set_privileged(struct containr_config *config, struct containr_error *error)
{
	struct containr_config work;
	struct err err = { 0 };
	int r = config_copy(config, &work, &err);

	work.labels = false;
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]) && r == 0; i++)
		r = config_edit(&work, opened[i].path, opened[i].value, false, &err);
	if (r == 0)
		r = open_rest(&work, &err);
	if (r == 0)
		r = config_set_seccomp(&work, "unconfined", &err);
	return api_end(config_commit(config, &work, r), &err, error);
}
