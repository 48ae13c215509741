/*
 * run_binds.c - --volume, --mount and --tmpfs: what of the host is seen inside, and private memory.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/people.h"

static int check_destination(struct people *p, const char *flag, const char *value,
			     const char *path)
{
	if (*path == '/' && path[strspn(path, "/")] != '\0')
		return 0;
	return err_say(p->err, -EINVAL,
		       "--%s %.200s: the path in the container must be absolute and not /", flag,
		       value);
}

static int check_source(struct people *p, const char *flag, const char *value, const char **path)
{
	char here[PATH_MAX];

	if (**path == '.') { /* as podman takes it */
		if (!realpath(*path, here))
			return err_set(p->err, -errno, "--%s %.200s: %.100s", flag, value, *path);
		*path = arena_strndup(p->arena, here, strlen(here));
	}
	if (**path != '/') {
		(void)err_say(p->err, -EOPNOTSUPP, "--%s %.200s: named volumes are not supported",
			      flag, value);
		return err_hint(p->err, "a directory begins with / or .");
	}
	if (access(*path, F_OK) < 0) {
		(void)err_set(p->err, -errno, "--%s %.200s: %s", flag, value, *path);
		return err_hint(p->err, "it must be there: a mistyped name would else become an "
					"empty directory of root's");
	}
	return 0;
}

/* The options of a bind mount, and what they become; NULL: refused for the reason. */
static const struct {
	const char *name, *option, *refused;
} bind_options[] = {
	{ "ro", "rro", NULL },
	{ "readonly", "rro", NULL },
	{ "rw", "rw", NULL },
	{ "bind", "bind", NULL },
	{ "rbind", "rbind", NULL },
	{ "private", "private", NULL },
	{ "rprivate", "rprivate", NULL },
	{ "slave", "slave", NULL },
	{ "rslave", "rslave", NULL },
	{ "shared", "shared", NULL },
	{ "rshared", "rshared", NULL },
	{ "unbindable", "unbindable", NULL },
	{ "runbindable", "runbindable", NULL },
	{ "exec", "exec", NULL },
	{ "noexec", "noexec", NULL },
	{ "dev", "dev", NULL },
	{ "nodev", "nodev", NULL },
	{ "suid", "suid", NULL },
	{ "nosuid", "nosuid", NULL },
	{ "idmap", "idmap", NULL },
	{ "nocopy", "", NULL }, /* nothing is ever copied out of the root */
	{ "copy", NULL, "nothing is copied out of the root" },
	{ "delegated", "", NULL }, /* of Docker on macOS */
	{ "cached", "", NULL },
	{ "consistent", "", NULL },
	{ "z", "", NULL },
	{ "Z", "", NULL },
	{ "U", NULL, "owners are not changed" },
	{ "O", "tmpoverlay", NULL },
};

static int bind_option(struct people *p, const char *flag, const char *value, const char *word,
		       const char **options)
{
	const char *names[sizeof(bind_options) / sizeof(bind_options[0]) + 1] = { NULL };

	for (size_t i = 0; i < sizeof(bind_options) / sizeof(bind_options[0]); i++) {
		names[i] = bind_options[i].name;
		if (strcmp(bind_options[i].name, word) != 0)
			continue;
		if (bind_options[i].refused)
			return err_say(p->err, -EOPNOTSUPP, "--%s %.200s: %s is not supported: %s",
				       flag, value, word, bind_options[i].refused);
		if (*bind_options[i].option)
			*options =
			    arena_printf(p->arena, "%s,%s", *options, bind_options[i].option);
		return 0;
	}
	(void)err_say(p->err, -EINVAL, "--%s %.200s: unknown option %.50s", flag, value, word);
	return value_nearest(names, word)
		   ? err_hint(p->err, "did you mean %s?", value_nearest(names, word))
		   : err_hint(p->err, "known are ro, rw, z, Z, [r]private, [r]slave, [r]shared, O, "
				      "exec, dev, suid, idmap");
}

static void add_relabel(struct people *p, const char *path, bool shared)
{
	size_t max = p->max_relabels ? 2 * p->max_relabels : 8;
	struct people_relabel *v = p->relabels;

	if (p->n_relabels == p->max_relabels) {
		v = arena_array(p->arena, max, sizeof(*v));
		if (!v)
			return; /* the arena remembers */
		if (p->n_relabels > 0)
			memcpy(v, p->relabels, p->n_relabels * sizeof(*v));
		p->relabels = v;
		p->max_relabels = max;
	}
	v[p->n_relabels++] = (struct people_relabel){ path, shared };
}

static int add_bind(struct people *p, const char *flag, const char *value, const char *source,
		    const char *destination, const char *words)
{
	/* Later options win: "suid" and "dev" take these back. */
	const char *options = "rbind,nosuid,nodev";
	int r = check_destination(p, flag, value, destination);

	if (r == 0)
		r = check_source(p, flag, value, &source);
	while (r == 0 && words) {
		const char *word = value_part(p->arena, words, ',', &words);

		r = bind_option(p, flag, value, word, &options);
		if (r == 0 && p->facts.lsm.selinux && strcasecmp(word, "z") == 0)
			add_relabel(p, source, *word == 'z');
	}
	if (r == 0)
		people_mount(p, destination, "bind", source, options);
	return r;
}

/* "SRC:DST[:options]". */
static int add_volume(struct people *p, const char *value)
{
	const char *rest, *source = value_part(p->arena, value, ':', &rest);
	const char *destination = rest ? value_part(p->arena, rest, ':', &rest) : NULL;

	if (!given(destination) || !*source)
		return err_say(p->err, -EINVAL,
			       "--volume %.200s: expected HOST:CONTAINER[:OPTIONS], as in "
			       "/srv/data:/data:ro",
			       value);
	return add_bind(p, "volume", value, source, destination, rest);
}

static int add_tmpfs(struct people *p, const char *value)
{
	const char *rest, *path = value_part(p->arena, value, ':', &rest);
	int r = check_destination(p, "tmpfs", value, path);

	if (r < 0)
		return r;
	people_mount(p, path, "tmpfs", "tmpfs",
		     given(rest) ? arena_printf(p->arena, "nosuid,nodev,noexec,%s", rest)
				 : "nosuid,nodev,noexec");
	return 0;
}

/* ---- --mount ------------------------------------------------------------------------------------
 */

struct mount_words {
	const char *type, *source, *destination;
	const char *bind;  /* options of a bind mount, separated by commas, or NULL */
	const char *tmpfs; /* options of a tmpfs */
};

static int refuse_mount(struct people *p, const char *value, const char *expected)
{
	return err_say(p->err, -EINVAL, "--mount %.200s: expected %s", value, expected);
}

static const char *joined(struct people *p, const char *list, const char *word)
{
	return list ? arena_printf(p->arena, "%s,%s", list, word) : word;
}

static int read_readonly(struct people *p, const char *given_as, struct mount_words *w)
{
	bool on = true;
	int r = given(given_as) ? value_bool(p->err, "mount ro", given_as, &on) : 0;

	if (r == 0 && on) {
		w->bind = joined(p, w->bind, "ro");
		w->tmpfs = joined(p, w->tmpfs, "ro");
	}
	return r;
}

static int read_tmpfs_word(struct people *p, const char *key, const char *value,
			   struct mount_words *w)
{
	uint64_t size;
	uint32_t mode;
	int r;

	if (strcmp(key, "tmpfs-mode") == 0) {
		if (num_octal(value, 07777, &mode) < 0)
			return refuse_mount(p, value, "tmpfs-mode to be octal, as in 1777");
		w->tmpfs = joined(p, w->tmpfs, arena_printf(p->arena, "mode=%o", mode));
		return 0;
	}
	r = value_size(p->err, "mount tmpfs-size", value, &size);
	if (r == 0)
		w->tmpfs = joined(p, w->tmpfs,
				  arena_printf(p->arena, "size=%llu", (unsigned long long)size));
	return r;
}

static int read_mount_word(struct people *p, const char *word, struct mount_words *w)
{
	const char *value, *key = value_part(p->arena, word, '=', &value);

	if (strcmp(key, "type") == 0)
		w->type = value;
	else if (strcmp(key, "source") == 0 || strcmp(key, "src") == 0)
		w->source = value;
	else if (strcmp(key, "target") == 0 || strcmp(key, "dst") == 0 ||
		 strcmp(key, "destination") == 0)
		w->destination = value;
	else if (strcmp(key, "readonly") == 0 || strcmp(key, "ro") == 0)
		return read_readonly(p, value, w);
	else if (strcmp(key, "tmpfs-mode") == 0 || strcmp(key, "tmpfs-size") == 0)
		return read_tmpfs_word(p, key, value ? value : "", w);
	else if (strcmp(key, "bind-propagation") == 0 && given(value))
		w->bind = joined(p, w->bind, value);
	else if (strcmp(key, "bind-nonrecursive") == 0)
		w->bind = joined(p, w->bind, "bind");
	else
		w->bind = joined(p, w->bind, word); /* "noexec": looked up there */
	return 0;
}

static int add_mount(struct people *p, const char *value)
{
	struct mount_words w = { 0 };
	int r = 0;

	for (const char *rest = value; rest && r == 0;)
		r = read_mount_word(p, value_part(p->arena, rest, ',', &rest), &w);
	if (r < 0)
		return r;
	if (!given(w.type))
		return refuse_mount(p, value, "type=bind or type=tmpfs");
	if (!given(w.destination))
		return refuse_mount(p, value, "dst=PATH, the path in the container");
	if (strcmp(w.type, "tmpfs") == 0)
		return add_tmpfs(p, w.tmpfs
					? arena_printf(p->arena, "%s:%s", w.destination, w.tmpfs)
					: w.destination);
	if (strcmp(w.type, "bind") != 0)
		return err_say(p->err, -EOPNOTSUPP,
			       "--mount %.200s: type %.50s is not supported, use bind or tmpfs",
			       value, w.type);
	if (!given(w.source))
		return refuse_mount(p, value, "src=PATH, the path on the host");
	return add_bind(p, "mount", value, w.source, w.destination, w.bind);
}

/* ---- all of them --------------------------------------------------------------------------------
 */

int run_binds(struct people *p)
{
	const struct {
		const struct spec_strings *list;
		int (*add)(struct people *p, const char *value);
	} flags[] = { { &p->flags->tmpfs, add_tmpfs },
		      { &p->flags->volumes, add_volume },
		      { &p->flags->mounts, add_mount } };
	int r = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		for (size_t k = 0; k < flags[i].list->n && r == 0; k++)
			r = flags[i].add(p, flags[i].list->v[k]);
	return r;
}
