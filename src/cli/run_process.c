/*
 * run_process.c - the program: its command, environment, directory and limits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/num.h"
#include "cli/people.h"
#include "spec/names.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MAX_ENV      4096

/* ---- environment --------------------------------------------------------------------------------
 */

struct env {
	size_t n;
	const char *v[MAX_ENV];
};

static size_t name_len(const char *entry)
{
	return strcspn(entry, "=");
}

/* The last one of a name counts. */
static int set_env(struct people *p, struct env *env, const char *entry)
{
	size_t len = name_len(entry), i = 0;

	while (i < env->n && (name_len(env->v[i]) != len || strncmp(env->v[i], entry, len) != 0))
		i++;
	if (i == MAX_ENV)
		return err_say(p->err, -E2BIG, "--env: more than %d variables", MAX_ENV);
	env->v[i] = entry;
	env->n += i == env->n;
	return 0;
}

/* "NAME=value", or "NAME": ours, and nothing where we have none. */
static int add_env(struct people *p, struct env *env, const char *flag, const char *entry)
{
	const char *value;

	if (name_len(entry) == 0)
		return err_say(p->err, -EINVAL, "--%s %.200s: expected NAME=VALUE or NAME", flag,
			       entry);
	if (strchr(entry, '='))
		return set_env(p, env, entry);
	value = getenv(entry);
	return value ? set_env(p, env, arena_printf(p->arena, "%s=%s", entry, value)) : 0;
}

/* A line each; those that begin with # are comments, as docker has it. */
static int add_env_file(struct people *p, struct env *env, const char *path)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = people_read_host_file(path, &text);

	if (r < 0)
		return err_set(p->err, r, "--env-file %s", path);
	for (const char *rest = buf_text(&text); rest && r == 0;) {
		const char *line = value_part(p->arena, rest, '\n', &rest);

		line += strspn(line, " \t");
		if (*line && *line != '#')
			r = add_env(p, env, "env-file", line);
	}
	return r;
}

int people_add_env(struct people *p, const struct spec_strings *files,
		   const struct spec_strings *entries, struct spec_strings *ret)
{
	struct env *env = arena_alloc(p->arena, sizeof(*env));
	int r = 0;

	if (!env)
		return err_set(p->err, -ENOMEM, "prepare the environment");
	for (size_t i = 0; i < ret->n && r == 0; i++)
		r = set_env(p, env, ret->v[i]);
	for (size_t i = 0; i < files->n && r == 0; i++)
		r = add_env_file(p, env, files->v[i]);
	for (size_t i = 0; i < entries->n && r == 0; i++)
		r = add_env(p, env, "env", entries->v[i]);
	*ret = (struct spec_strings){ .n = env->n,
				      .v = arena_array(p->arena, env->n + 1, sizeof(char *)) };
	for (size_t i = 0; i < env->n && ret->v; i++)
		ret->v[i] = arena_strndup(p->arena, env->v[i], strlen(env->v[i]));
	return r < 0 || ret->v ? r : err_set(p->err, -ENOMEM, "prepare the environment");
}

static int put_env(struct people *p)
{
	const struct run_flags *f = p->flags;
	struct env *env = arena_alloc(p->arena, sizeof(*env));
	const char *term = getenv("TERM");
	int r;

	if (!env)
		return err_set(p->err, -ENOMEM, "prepare the environment");
	r = set_env(p, env, "PATH=" DEFAULT_PATH);
	if (r == 0)
		r = set_env(p, env, arena_printf(p->arena, "HOSTNAME=%s", people_hostname(p)));
	if (r == 0 && p->tty)
		r = set_env(p, env,
			    arena_printf(p->arena, "TERM=%s", given(term) ? term : "xterm"));
	if (r == 0 && !p->rootfs) /* else as the image's passwd says */
		r = set_env(p, env, arena_printf(p->arena, "HOME=%s", p->home));
	for (size_t i = 0; i < f->env_files.n && r == 0; i++)
		r = add_env_file(p, env, f->env_files.v[i]);
	for (size_t i = 0; i < f->env.n && r == 0; i++)
		r = add_env(p, env, "env", f->env.v[i]);
	out_open(&p->process, "env", '[');
	for (size_t i = 0; i < env->n; i++)
		out_str(&p->process, NULL, env->v[i]);
	out_close(&p->process, ']');
	return r;
}

/* ---- command ------------------------------------------------------------------------------------
 */

static int put_args(struct people *p)
{
	const struct spec_strings *args = &p->cli->args;
	const char *entrypoint = p->flags->entrypoint;

	out_open(&p->process, "args", '[');
	if (given(entrypoint))
		out_str(&p->process, NULL, entrypoint);
	else if (args->n == 0)
		out_str(&p->process, NULL, "/bin/sh");
	for (size_t i = 0; i < args->n; i++)
		out_str(&p->process, NULL, args->v[i]);
	out_close(&p->process, ']');
	return 0;
}

static int put_cwd(struct people *p)
{
	const char *dir = p->flags->workdir;

	if (given(dir) && *dir != '/')
		return err_say(p->err, -EINVAL, "--workdir %.200s: expected an absolute path", dir);
	if (!given(dir)) /* where there is something to write in */
		dir = p->rootfs || !p->flags->read_only_tmpfs ? "/" : p->home;
	out_str(&p->process, "cwd", dir);
	return 0;
}

/* ---- limits -------------------------------------------------------------------------------------
 */

static int read_limit(struct people *p, const char *value, const char *text, uint64_t *ret)
{
	if (strcmp(text, "-1") == 0 || strcmp(text, "unlimited") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (num_u64(text, INT64_MAX, ret) == 0)
		return 0;
	return err_say(p->err, -EINVAL, "--ulimit %.100s: expected NAME=SOFT[:HARD] with numbers",
		       value);
}

static int unknown_limit(struct people *p, const char *value, const char *name)
{
	static const char *const names[] = { "as",    "core",    "cpu",      "data",   "fsize",
					     "locks", "memlock", "msgqueue", "nice",   "nofile",
					     "nproc", "rss",     "rtprio",   "rttime", "sigpending",
					     "stack", NULL };
	const char *nearest = value_nearest(names, name);

	(void)err_say(p->err, -EINVAL, "--ulimit %.100s: there is no such limit", value);
	return nearest ? err_hint(p->err, "did you mean %s?", nearest)
		       : err_hint(p->err, "known are as, core, cpu, data, fsize, locks, memlock, "
					  "msgqueue, nice, nofile, nproc, rss, rtprio, rttime, "
					  "sigpending, stack");
}

/* "nofile=1024:4096" becomes RLIMIT_NOFILE. */
static int put_ulimit(struct people *p, const char *value)
{
	const char *rest, *hard_text = NULL, *name = value_part(p->arena, value, '=', &rest);
	const char *soft_text = rest ? value_part(p->arena, rest, ':', &hard_text) : "";
	char type[32] = "RLIMIT_";
	uint64_t soft, hard;
	int r;

	for (size_t i = 0; name[i] && i < sizeof(type) - sizeof("RLIMIT_"); i++)
		type[i + sizeof("RLIMIT_") - 1] =
		    (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
	if (!spec_name_find(spec_rlimit_names, type))
		return unknown_limit(p, value, name);
	r = read_limit(p, value, soft_text, &soft);
	hard = soft;
	if (r == 0 && given(hard_text))
		r = read_limit(p, value, hard_text, &hard);
	if (r == 0 && soft > hard)
		r = err_say(p->err, -EINVAL, "--ulimit %.100s: soft is above hard", value);
	if (r < 0)
		return r;
	out_open(&p->process, NULL, '{');
	out_str(&p->process, "type", type);
	out_unsigned(&p->process, "soft", soft);
	out_unsigned(&p->process, "hard", hard);
	out_close(&p->process, '}');
	return 0;
}

/* Of two for one limit the later counts. */
static bool is_last(const struct spec_strings *list, size_t i)
{
	for (size_t k = i + 1; k < list->n; k++)
		if (name_len(list->v[k]) == name_len(list->v[i]) &&
		    strncmp(list->v[k], list->v[i], name_len(list->v[i])) == 0)
			return false;
	return true;
}

static int put_limits(struct people *p)
{
	const struct spec_strings *list = &p->flags->ulimits;
	int r = 0;

	out_open(&p->process, "rlimits", '[');
	for (size_t i = 0; i < list->n && r == 0; i++)
		if (strcmp(list->v[i], "host") != 0 && is_last(list, i))
			r = put_ulimit(p, list->v[i]);
	out_close(&p->process, ']');
	return r;
}

static int put_score(struct people *p)
{
	int64_t score;
	int r;

	if (!given(p->flags->oom_score_adj))
		return 0;
	r = value_number(p->err, "oom-score-adj", p->flags->oom_score_adj, -1000, 1000, &score);
	if (r == 0)
		out_num(&p->process, "oomScoreAdj", score);
	return r;
}

int run_process(struct people *p)
{
	static int (*const parts[])(struct people * p) = { put_args, put_cwd, put_env, put_limits,
							   put_score };
	int r = 0;

	out_bool(&p->process, "terminal", p->tty);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && r == 0; i++)
		r = parts[i](p);
	return r;
}
