/*
 * config_set.c - the small builders: each is an edit of one place of config.json.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/document.h"
#include "base/cleanup.h"
#include "seccomp/edit.h"
#include "spec/landlock.h"

static int edit_with(struct containr_config *config, const char *path, const struct buf *value,
		     bool append, struct err *err)
{
	if (value->failed)
		return err_set(err, -ENOMEM, "change the configuration");
	return config_edit(config, path, buf_text(value), append, err);
}

/* ---- process --------------------------------------------------------------------------------- */

int containr_config_set_args(struct containr_config *config, const char *const *args,
			     struct containr_error *error)
{
	_cleanup_buf_ struct buf value = { 0 };
	struct err err = { 0 };
	int r = 0;

	if (!args || !args[0])
		return api_end(err_say(&err, -EINVAL, "args: expected at least one word"), &err,
			       error);
	buf_str(&value, "[");
	for (size_t i = 0; r == 0 && args[i]; i++) {
		r = api_check_text("args", args[i], &err);
		buf_str(&value, i > 0 ? "," : "");
		buf_json_str(&value, args[i]);
	}
	buf_str(&value, "]");
	if (r == 0)
		r = edit_with(config, "process/args", &value, false, &err);
	return api_end(r, &err, error);
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strcspn(b, "=") == len && strncmp(a, b, len) == 0;
}

static int add_env(struct containr_config *config, const char *entry, struct err *err)
{
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	_cleanup_buf_ struct buf value = { 0 };
	const struct spec_strings *env = &view.spec.process.env;
	int r = api_check_text("env", entry, err);

	if (r == 0 && (*entry == '=' || !strchr(entry, '=')))
		r = err_say(err, -EINVAL, "env: \"%.200s\": expected NAME=value", entry);
	if (r == 0)
		r = config_view(buf_text(&config->text), config->text.len, &view, err);
	if (r < 0)
		return r;
	buf_str(&value, "[");
	for (size_t i = 0; i < env->n; i++)
		if (!same_name(env->v[i], entry)) {
			buf_json_str(&value, env->v[i]);
			buf_str(&value, ",");
		}
	buf_json_str(&value, entry);
	buf_str(&value, "]");
	return edit_with(config, "process/env", &value, false, err);
}

int containr_config_add_env(struct containr_config *config, const char *entry,
			    struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(add_env(config, entry, &err), &err, error);
}

/* ---- security modules and filters ----------------------------------------------------------- */

/* Read now, so that a mistake is told here; settled at the start, when the capabilities are known.
 */
int config_set_seccomp(struct containr_config *config, const char *profile, struct err *err)
{
	struct spec_seccomp ignored;
	struct arena arena = { 0 };
	bool unconfined = false;
	char *copy;
	int r = api_check_text("seccomp", profile, err);

	if (r == 0)
		r = profile_resolve(profile, &arena, &ignored, &unconfined, err);
	arena_done(&arena);
	if (r < 0)
		return r;
	copy = strdup(profile);
	if (!copy)
		return err_set(err, -ENOMEM, "change the configuration");
	free(config->seccomp);
	config->seccomp = copy;
	return 0;
}

int containr_config_set_seccomp(struct containr_config *config, const char *profile,
				struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(config_set_seccomp(config, profile, &err), &err, error);
}

int containr_config_set_apparmor(struct containr_config *config, const char *profile,
				 struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(config_edit_text(config, "process/apparmorProfile", profile, &err), &err,
		       error);
}

int containr_config_set_selinux(struct containr_config *config, const char *process,
				const char *mount, struct containr_error *error)
{
	struct containr_config work;
	struct err err = { 0 };
	int r = config_copy(config, &work, &err);

	work.labels = false;
	if (r == 0)
		r = config_edit_text(&work, "process/selinuxLabel", process, &err);
	if (r == 0)
		r = config_edit_text(&work, "linux/mountLabel", mount, &err);
	return api_end(config_commit(config, &work, r), &err, error);
}

int containr_config_set_landlock(struct containr_config *config, const char *rules,
				 struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(config_edit_text(config, "annotations/" SPEC_LANDLOCK_KEY, rules, &err),
		       &err, error);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static int set_limit(struct containr_config *config, const char *path, int64_t limit,
		     struct err *err)
{
	if (limit == -1)
		return config_edit(config, path, NULL, false, err);
	if (limit <= 0)
		return err_say(err, -EINVAL, "%s: %lld: expected a positive number, or -1 for none",
			       path, (long long)limit);
	return config_edit_number(config, path, limit, err);
}

int containr_config_set_memory(struct containr_config *config, int64_t bytes,
			       struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(set_limit(config, "linux/resources/memory/limit", bytes, &err), &err, error);
}

int containr_config_set_pids_limit(struct containr_config *config, int64_t limit,
				   struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(set_limit(config, "linux/resources/pids/limit", limit, &err), &err, error);
}

int containr_config_set_cpu_shares(struct containr_config *config, uint64_t shares,
				   struct containr_error *error)
{
	struct err err = { 0 };
	int r;

	/* The kernel would cut off what is beyond without a word. */
	if (shares < 2 || shares > 262144)
		r = err_say(&err, -EINVAL, "linux/resources/cpu/shares: %llu: expected 2 to 262144",
			    (unsigned long long)shares);
	else
		r = config_edit_number(config, "linux/resources/cpu/shares", (int64_t)shares, &err);
	return api_end(r, &err, error);
}

/* ---- files and network ---------------------------------------------------------------------- */

int containr_config_set_rootfs(struct containr_config *config, const char *path, bool readonly,
			       struct containr_error *error)
{
	_cleanup_buf_ struct buf value = { 0 };
	struct err err = { 0 };
	int r = api_check_text("rootfs", path, &err);

	buf_str(&value, "{\"path\":");
	buf_json_str(&value, path);
	buf_printf(&value, ",\"readonly\":%s}", readonly ? "true" : "false");
	if (r == 0)
		r = edit_with(config, "root", &value, false, &err);
	return api_end(r, &err, error);
}

static int put_member(struct buf *out, const char *key, const char *text, struct err *err)
{
	if (!text)
		return 0;
	buf_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
	buf_json_str(out, text);
	return api_check_text(key, text, err);
}

static int put_options(struct buf *out, const char *options, struct err *err)
{
	int r = options ? api_check_text("options", options, err) : 0;

	buf_str(out, ",\"options\":[");
	for (const char *word = options; word && *word;) {
		size_t len = strcspn(word, ",");
		char *copy = strndup(word, len);

		buf_str(out, word == options ? "" : ",");
		buf_json_str(out, copy);
		out->failed |= !copy;
		free(copy);
		word += len + (word[len] == ',');
	}
	buf_str(out, "]}");
	return r;
}

int containr_config_add_mount(struct containr_config *config, const char *destination,
			      const char *type, const char *source, const char *options,
			      struct containr_error *error)
{
	_cleanup_buf_ struct buf value = { 0 };
	struct err err = { 0 };
	int r = api_check_text("destination", destination, &err);

	buf_str(&value, "{");
	if (r == 0)
		r = put_member(&value, "destination", destination, &err);
	if (r == 0)
		r = put_member(&value, "type", type, &err);
	if (r == 0)
		r = put_member(&value, "source", source, &err);
	if (r == 0)
		r = put_options(&value, options, &err);
	if (r == 0)
		r = edit_with(config, "mounts", &value, true, &err);
	return api_end(r, &err, error);
}

static int set_network(struct containr_config *config, bool isolated, struct err *err)
{
	_cleanup_(config_view_done) struct config_view view = { .arena = { 0 } };
	_cleanup_buf_ struct buf value = { 0 };
	const struct json *list;
	int r = config_view(buf_text(&config->text), config->text.len, &view, err);

	if (r < 0)
		return r;
	list = document_get(view.doc.values, "linux/namespaces");
	buf_str(&value, "[");
	for (const struct json *ns = list ? json_first(list) : NULL; ns; ns = json_next(list, ns)) {
		const struct json *type = json_get(ns, "type");

		if (type && strcmp(type->text, "network") == 0)
			continue;
		buf_str(&value, value.len > 1 ? "," : "");
		document_write_value(ns, &value);
	}
	if (isolated)
		buf_printf(&value, "%s{\"type\":\"network\"}", value.len > 1 ? "," : "");
	buf_str(&value, "]");
	return edit_with(config, "linux/namespaces", &value, false, err);
}

int containr_config_set_network_isolated(struct containr_config *config, bool isolated,
					 struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(set_network(config, isolated, &err), &err, error);
}
