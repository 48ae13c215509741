/*
 * run_caps.c - capabilities: the fourteen of Docker, more or fewer by flags.
 *
 * What is kept bounds the whole container. Root has all of it. Any other user starts with none but
 * those that were added by name, which are made ambient, for otherwise adding them would have no
 * effect at all (moby#8460).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json_out.h"
#include "base/nearest.h"
#include "cli/people.h"
#include "spec/names.h"
#include "sys/abi.h"

#define BIT(name) (1ULL << CAP_##name)

static const uint64_t usual = BIT(CHOWN) | BIT(DAC_OVERRIDE) | BIT(FSETID) | BIT(FOWNER) |
			      BIT(MKNOD) | BIT(NET_RAW) | BIT(SETGID) | BIT(SETUID) | BIT(SETFCAP) |
			      BIT(SETPCAP) | BIT(NET_BIND_SERVICE) | BIT(SYS_CHROOT) | BIT(KILL) |
			      BIT(AUDIT_WRITE);

/* In a user namespace there are all of them, for what belongs to it. */
static uint64_t available(const struct people *p)
{
	return p->userns ? p->facts.known_caps : p->facts.caps & p->facts.known_caps;
}

static const char *without_prefix(const char *name)
{
	return strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
}

static int refuse(struct people *p, const char *flag, const char *name)
{
	struct nearest nearest;
	char upper[64] = "";

	(void)snprintf(upper, sizeof(upper), "%s", without_prefix(name));
	for (char *c = upper; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	nearest = nearest_to(upper);
	for (const struct spec_name *c = spec_capability_names; c->name; c++)
		nearest_consider(&nearest, without_prefix(c->name));
	(void)err_say(p->err, -EINVAL, "--%s %.100s: there is no such capability", flag, name);
	if (nearest.name)
		return err_hint(p->err, "did you mean %s? capabilities(7) lists them",
				nearest.name);
	return err_hint(p->err, "capabilities(7) lists them; ALL means all");
}

/* "NET_ADMIN", "cap_net_admin", "ALL"; lists with commas as podman takes them. */
static int read_list(struct people *p, const char *flag, const struct spec_strings *list,
		     uint64_t *ret, bool *ret_all)
{
	*ret = 0;
	*ret_all = false;
	for (size_t i = 0; i < list->n; i++)
		for (const char *rest = list->v[i]; rest;) {
			const char *name = value_part(p->arena, rest, ',', &rest);
			const char *bare = without_prefix(name);
			const struct spec_name *c = spec_capability_names;

			while (c->name && strcasecmp(c->name + 4, bare) != 0)
				c++;
			if (strcasecmp(bare, "ALL") == 0)
				*ret_all = true;
			else if (!c->name)
				return refuse(p, flag, name);
			else
				*ret |= 1ULL << c->value;
		}
	return 0;
}

static void put_set(struct buf *out, const char *key, uint64_t set)
{
	out_open(out, key, '[');
	for (unsigned int i = 0; i < 64; i++) {
		const char *name = set >> i & 1 ? spec_name_of(spec_capability_names, i) : NULL;

		if (name)
			out_str(out, NULL, name);
	}
	out_close(out, ']');
}

static void write_sets(struct people *p)
{
	uint64_t has = p->uid == 0 ? p->caps : p->added_caps & p->caps;
	uint64_t ambient = p->uid == 0 ? 0 : has;
	struct buf *out = &p->process;

	out_open(out, "capabilities", '{');
	put_set(out, "bounding", p->caps);
	put_set(out, "effective", has);
	put_set(out, "permitted", has);
	put_set(out, "inheritable", ambient);
	put_set(out, "ambient", ambient);
	out_close(out, '}');
}

int run_caps(struct people *p)
{
	uint64_t add = 0, drop = 0, base = usual & available(p);
	bool add_all = false, drop_all = false;
	int r = read_list(p, "cap-add", &p->flags->cap_add, &add, &add_all);

	if (r == 0)
		r = read_list(p, "cap-drop", &p->flags->cap_drop, &drop, &drop_all);
	if (r < 0)
		return r;
	if (add_all || p->flags->privileged)
		base = available(p);
	if (drop_all)
		base = 0;
	p->added_caps = add_all ? add | available(p) : add;
	/* ALL on both sides, as Docker has it: what is named counts. */
	p->caps = (base & ~drop) | add;
	if (add_all && drop_all)
		return err_say(p->err, -EINVAL,
			       "--cap-add ALL and --cap-drop ALL: expected one of them");
	write_sets(p);
	return 0;
}
