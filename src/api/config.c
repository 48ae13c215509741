/*
 * config.c - the handle of a configuration: a document that is valid at any time.
 *
 * What each key means, and what it may say, is known by spec/ alone. So an edit makes the new text,
 * has it read and checked as a start would, and keeps it only if nothing is wrong with it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/document.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "host/apparmor.h"
#include "host/facts.h"
#include "host/selinux.h"
#include "run/info.h"
#include "seccomp/edit.h"
#include "seccomp/render.h"
#include "spec/check.h"
#include "spec/default.h"
#include "spec/landlock.h"
#include "spec/read.h"
#include "sys/abi.h"

int api_end(int r, const struct err *err, struct containr_error *ret)
{
	_Static_assert(sizeof(ret->message) == sizeof(err->msg) &&
			   sizeof(ret->hint) == sizeof(err->hint),
		       "the public struct has room for all");
	if (!ret || r >= 0)
		return r;
	ret->code = r;
	memcpy(ret->message, err->msg, sizeof(ret->message));
	memcpy(ret->hint, err->hint, sizeof(ret->hint));
	return r;
}

int api_check_text(const char *what, const char *text, struct err *err)
{
	size_t left = text ? strlen(text) : 0, len;

	if (!text)
		return err_say(err, -EINVAL, "%s: expected a text, not NULL", what);
	for (const unsigned char *s = (const unsigned char *)text; left > 0;
	     s += len, left -= len) {
		len = utf8_len(s, left);
		if (len == 0)
			return err_say(err, -EILSEQ, "%s: is not UTF-8", what);
	}
	return 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

int config_view(const char *text, size_t len, struct config_view *ret, struct err *err)
{
	const struct spec_source source = { .name = "config.json", .text = text, .len = len };
	struct spec_landlock landlock;
	const char *rules;
	int r;

	r = json_parse(&ret->doc, source.name, text, len, &ret->arena, err);
	if (r == 0)
		r = spec_read(&source, &ret->arena, &ret->spec, err);
	if (r == 0)
		r = spec_check(&ret->spec, err);
	rules = r == 0 ? spec_landlock_text(&ret->spec) : NULL;
	return rules ? spec_read_landlock(rules, &ret->arena, &landlock, err) : r;
}

void config_view_done(struct config_view *view)
{
	arena_done(&view->arena);
}

/* ---- changing ------------------------------------------------------------------------------- */

/* Moves `text` in, if it is a configuration. */
static int replace(struct containr_config *config, struct buf *text, struct err *err)
{
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	int r;

	if (text->failed)
		return err_set(err, -ENOMEM, "change the configuration");
	r = config_view(buf_text(text), text->len, &view, err);
	if (r < 0)
		return r;
	buf_done(&config->text);
	config->text = *text;
	*text = (struct buf){ 0 };
	return 0;
}

int config_edit(struct containr_config *config, const char *path, const char *value, bool append,
		struct err *err)
{
	const struct document_edit edit = { .path = path, .value = value, .append = append };
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	_cleanup_buf_ struct buf text = { 0 };
	int r = config_view(buf_text(&config->text), config->text.len, &view, err);

	if (r < 0)
		return r;
	document_write(view.doc.values, &edit, &text);
	return replace(config, &text, err);
}

int config_edit_text(struct containr_config *config, const char *path, const char *text,
		     struct err *err)
{
	_cleanup_buf_ struct buf value = { 0 };
	int r = text ? api_check_text(path, text, err) : 0;

	if (r < 0)
		return r;
	buf_json_str(&value, text);
	if (value.failed)
		return err_set(err, -ENOMEM, "change the configuration");
	return config_edit(config, path, text ? buf_text(&value) : NULL, false, err);
}

int config_edit_number(struct containr_config *config, const char *path, int64_t number,
		       struct err *err)
{
	char value[32];

	(void)snprintf(value, sizeof(value), "%lld", (long long)number);
	return config_edit(config, path, value, false, err);
}

int config_copy(const struct containr_config *config, struct containr_config *ret, struct err *err)
{
	*ret = (struct containr_config){ .labels = config->labels };
	buf_add(&ret->text, buf_text(&config->text), config->text.len);
	if (config->seccomp)
		ret->seccomp = strdup(config->seccomp);
	if (ret->text.failed || (config->seccomp && !ret->seccomp))
		return err_set(err, -ENOMEM, "change the configuration");
	return 0;
}

static void config_clear(struct containr_config *config)
{
	buf_done(&config->text);
	free(config->seccomp);
}

int config_commit(struct containr_config *config, struct containr_config *work, int r)
{
	struct containr_config old = *config;

	if (r < 0) {
		config_clear(work);
		return r;
	}
	*config = *work;
	config_clear(&old);
	return 0;
}

/* ---- to a start ----------------------------------------------------------------------------- */

/* As an engine does it: config.json has no conditions. */
static int resolve_seccomp(const char *name, struct config_view *view, struct buf *ret,
			   struct err *err)
{
	struct seccomp_env env = { .caps = view->spec.process.capabilities.bounding };
	struct spec_seccomp profile, flat;
	struct facts facts;
	bool unconfined = false;
	int r = facts_read(0, &view->arena, &facts, err);

	if (r == 0)
		r = profile_resolve(name, &view->arena, &profile, &unconfined, err);
	if (r < 0 || unconfined)
		return r;
	env.kernel_major = facts.kernel_major;
	env.kernel_minor = facts.kernel_minor;
	r = profile_flatten(&profile, &env, &view->arena, &flat, err);
	if (r == 0)
		profile_render_json(&flat, ret);
	return r;
}

int config_render(const struct containr_config *config, struct buf *ret, struct err *err)
{
	struct document_edit edit = { .path = "linux/seccomp" };
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	_cleanup_buf_ struct buf profile = { 0 };
	int r = config_view(buf_text(&config->text), config->text.len, &view, err);

	if (r == 0 && config->seccomp)
		r = resolve_seccomp(config->seccomp, &view, &profile, err);
	if (r < 0)
		return r;
	edit.value = profile.len > 0 ? buf_text(&profile) : NULL;
	if (config->seccomp)
		document_write(view.doc.values, &edit, ret);
	else
		buf_add(ret, buf_text(&config->text), config->text.len);
	return ret->failed || profile.failed ? err_set(err, -ENOMEM, "write the configuration") : 0;
}

int config_label(struct buf *text, const char *root, const char *id, struct err *err)
{
	static const char *const no_options[] = { NULL };
	struct containr_config work = { .text = *text };
	struct selinux_labels labels;
	struct arena arena = { 0 };
	int r = selinux_label_make(root, id, no_options, &arena, &labels, err);

	if (r == 0 && labels.process)
		r = config_edit_text(&work, "process/selinuxLabel", labels.process, err);
	if (r == 0 && labels.mount)
		r = config_edit_text(&work, "linux/mountLabel", labels.mount, err);
	arena_done(&arena);
	*text = work.text;
	return r;
}

/* ---- the handle ----------------------------------------------------------------------------- */

static int take(struct buf *text, const char *seccomp, struct containr_config **ret,
		struct err *err)
{
	struct containr_config *config = calloc(1, sizeof(*config));
	int r;

	if (!config) {
		(void)err_set(err, -ENOMEM, "make a configuration");
		return -ENOMEM;
	}
	r = replace(config, text, err);
	if (r == 0 && seccomp) {
		config->seccomp = strdup(seccomp);
		if (!config->seccomp)
			r = err_set(err, -ENOMEM, "make a configuration");
	}
	if (r < 0)
		containr_config_free(config);
	else
		*ret = config;
	return r;
}

/* Root puts our own profile into the kernel at the start; others use it once it is there. */
static bool has_default_profile(struct arena *arena)
{
	struct err ignored;
	struct facts facts;

	if (facts_read(FACTS_LSM, arena, &facts, &ignored) < 0 || !facts.lsm.apparmor)
		return false;
	return (facts.euid == 0 && facts.caps >> CAP_MAC_ADMIN & 1) || facts.lsm.apparmor_default;
}

static int make_default(struct containr_config **ret, struct err *err)
{
	const struct spec_rootless caller = { .uid = geteuid(), .gid = getegid() };
	struct containr_config *config = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	struct arena arena = { 0 };
	int r;

	spec_default(caller.uid == 0 ? NULL : &caller, &text);
	r = take(&text, "default", &config, err);
	if (r == 0)
		r = config_edit(config, "process/terminal", "false", false, err);
	if (r == 0 && has_default_profile(&arena))
		r = config_edit_text(config, "process/apparmorProfile", APPARMOR_DEFAULT, err);
	arena_done(&arena);
	if (r < 0) {
		containr_config_free(config);
		return r;
	}
	config->labels = true;
	*ret = config;
	return 0;
}

static int describe_host(struct buf *text, struct err *err)
{
	struct arena arena = { 0 };
	struct facts facts;
	int r = facts_read(FACTS_CGROUP | FACTS_LSM, &arena, &facts, err);

	if (r == 0)
		info_json(&facts, text);
	arena_done(&arena);
	return r == 0 && text->failed ? err_set(err, -ENOMEM, "describe this host") : r;
}

int containr_info(char **ret, struct containr_error *error)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct err err = { 0 };
	int r = describe_host(&text, &err);

	if (r == 0) {
		*ret = text.data;
		text = (struct buf){ 0 };
	}
	return api_end(r, &err, error);
}

int containr_config_new(struct containr_config **ret, struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(make_default(ret, &err), &err, error);
}

int containr_config_from_json(const char *json, struct containr_config **ret,
			      struct containr_error *error)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct err err = { 0 };

	buf_str(&text, json ? json : "");
	return api_end(take(&text, NULL, ret, &err), &err, error);
}

int containr_config_to_json(const struct containr_config *config, char **ret,
			    struct containr_error *error)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct err err = { 0 };
	int r = config_render(config, &text, &err);

	if (r < 0)
		return api_end(r, &err, error);
	*ret = text.data;
	text = (struct buf){ 0 };
	return 0;
}

void containr_config_free(struct containr_config *config)
{
	if (!config)
		return;
	config_clear(config);
	free(config);
}

void containr_text_free(char *text)
{
	free(text);
}

const char *containr_version(void)
{
	return CONTAINR_VERSION;
}
