/*
 * run_names.c - names and notes: host name, domain name, annotations, labels, sysctls.
 */
#include <errno.h>
#include <string.h>

#include "base/json_out.h"
#include "cli/people.h"
#include "spec/landlock.h"

#define HOSTNAME_MAX 64 /* of the kernel */

/* Also without a name of its own it is called something: its processes ask. */
const char *people_hostname(struct people *p)
{
	const char *name = p->flags->hostname;

	return given(name) ? name : arena_printf(p->arena, "%.*s", HOSTNAME_MAX - 1, p->id);
}

static int put_hostname(struct people *p)
{
	const struct run_flags *f = p->flags;

	if (p->host_uts && (given(f->hostname) || given(f->domainname)))
		return err_say(p->err, -EINVAL,
			       "--%s: would change the host's name, for --uts is host",
			       given(f->hostname) ? "hostname" : "domainname");
	if (p->host_uts || (given(f->uts) && strchr(f->uts, ':') && !given(f->hostname)))
		return 0;
	if (strlen(people_hostname(p)) > HOSTNAME_MAX)
		return err_say(p->err, -EINVAL, "--hostname %.100s: is longer than %d bytes",
			       f->hostname, HOSTNAME_MAX);
	out_str(&p->top, "hostname", people_hostname(p));
	if (given(f->domainname))
		out_str(&p->top, "domainname", f->domainname);
	return 0;
}

/* ---- pairs --------------------------------------------------------------------------------------
 */

struct pairs {
	struct people *p;
	size_t n;
	const char *(*v)[2];
	size_t max;
};

/* The later of two with one key counts: JSON takes a key once. */
static int set_pair(struct pairs *pairs, const char *key, const char *value)
{
	size_t i = 0;

	while (i < pairs->n && strcmp(pairs->v[i][0], key) != 0)
		i++;
	if (i == pairs->max)
		return err_say(pairs->p->err, -E2BIG, "more than %zu labels", pairs->max);
	pairs->v[i][0] = key;
	pairs->v[i][1] = value;
	pairs->n += i == pairs->n;
	return 0;
}

static int add_pair(struct pairs *pairs, const char *flag, const char *text, bool needs_value)
{
	const char *rest, *key = value_part(pairs->p->arena, text, '=', &rest);

	if (*key && (rest || !needs_value))
		return set_pair(pairs, key, rest ? rest : "");
	return err_say(pairs->p->err, -EINVAL, "--%s %.200s: expected NAME=VALUE", flag, text);
}

static int add_list(struct pairs *pairs, const char *flag, const struct spec_strings *list,
		    bool needs_value)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = add_pair(pairs, flag, list->v[i], needs_value);
	return r;
}

static int add_label_file(struct pairs *pairs, const char *path)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = people_read_host_file(path, &text);

	if (r < 0)
		return err_set(pairs->p->err, r, "--label-file %s", path);
	for (const char *rest = buf_text(&text); rest && r == 0;) {
		const char *line = value_part(pairs->p->arena, rest, '\n', &rest);

		if (*line && *line != '#')
			r = add_pair(pairs, "label-file", line, false);
	}
	return r;
}

static int pairs_begin(struct people *p, struct pairs *pairs)
{
	*pairs = (struct pairs){ .p = p, .max = 1024 };
	pairs->v = arena_array(p->arena, pairs->max, sizeof(*pairs->v));
	return pairs->v ? 0 : err_set(p->err, -ENOMEM, "read labels");
}

static void put_pairs(const struct pairs *pairs, struct buf *out, const char *key)
{
	if (pairs->n == 0)
		return;
	out_open(out, key, '{');
	for (size_t i = 0; i < pairs->n; i++)
		out_str(out, pairs->v[i][0], pairs->v[i][1]);
	out_close(out, '}');
}

/* The specification has one place for both. */
static int put_annotations(struct people *p)
{
	const struct run_flags *f = p->flags;
	struct pairs pairs;
	int r = pairs_begin(p, &pairs);

	for (size_t i = 0; i < f->label_files.n && r == 0; i++)
		r = add_label_file(&pairs, f->label_files.v[i]);
	if (r == 0)
		r = add_list(&pairs, "label", &f->labels, false);
	if (r == 0 && p->landlock)
		r = set_pair(&pairs, SPEC_LANDLOCK_KEY, p->landlock);
	if (r == 0)
		r = set_pair(&pairs, PEOPLE_SECCOMP, p->seccomp_name);
	if (r == 0 && given(f->stop_signal))
		r = set_pair(&pairs, PEOPLE_STOP_SIGNAL, f->stop_signal);
	if (r == 0 && given(f->stop_timeout))
		r = set_pair(&pairs, PEOPLE_STOP_TIMEOUT, f->stop_timeout);
	if (r == 0)
		r = add_list(&pairs, "annotation", &f->annotations, true);
	if (r == 0)
		put_pairs(&pairs, &p->top, "annotations");
	return r;
}

static int put_sysctls(struct people *p)
{
	struct pairs pairs;
	int r = pairs_begin(p, &pairs);

	if (r == 0)
		r = add_list(&pairs, "sysctl", &p->flags->sysctls, true);
	if (r == 0)
		put_pairs(&pairs, &p->linux, "sysctl");
	return r;
}

static int put_personality(struct people *p)
{
	if (!given(p->flags->personality))
		return 0;
	out_open(&p->linux, "personality", '{');
	out_str(&p->linux, "domain", p->flags->personality);
	out_close(&p->linux, '}');
	return 0;
}

int run_names(struct people *p)
{
	int r = put_hostname(p);

	if (r == 0)
		r = put_annotations(p);
	if (r == 0)
		r = put_sysctls(p);
	return r < 0 ? r : put_personality(p);
}
