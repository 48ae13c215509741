/*
 * run_landlock.c - --landlock: what files, ports and processes may be reached, in a layer of its
 * own that the program cannot leave, whatever the mounts and capabilities would let it do.
 *
 * "full" writes down once more what the mounts say: everything may be read and executed, written
 * only what is mounted writable. "default" does so for names (what is made, moved, removed, listed)
 * and for programs, but not for opening files: /dev/stdout may be a file or a terminal of the host
 * that the program was given and may open again. Both are left out where the program is to mount
 * things itself, which Landlock forbids (CAP_SYS_ADMIN).
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/people.h"
#include "spec/landlock.h"
#include "sys/abi.h"

/* All rights but those that are checked when a file is opened. */
#define NAMES                                                                                      \
	"\"execute\",\"read_dir\",\"remove_dir\",\"remove_file\",\"make_char\",\"make_dir\","      \
	"\"make_reg\",\"make_sock\",\"make_fifo\",\"make_block\",\"make_sym\",\"refer\""

struct rules {
	bool usual, full, required;
	struct buf paths, ports, scopes; /* items */
};

static void rules_done(struct rules *r)
{
	buf_done(&r->paths);
	buf_done(&r->ports);
	buf_done(&r->scopes);
}

/* One rule: access to a list of one, a text or a number as it is to stand there. */
static void put_rule(struct buf *out, const char *access, const char *key, const char *item,
		     bool is_text)
{
	out_open(out, NULL, '{');
	out_open(out, "allowedAccess", '[');
	for (const char *rest = access; *rest; rest += strcspn(rest, ","), rest += *rest == ',') {
		char word[32] = "";

		memcpy(word, rest, strcspn(rest, ","));
		out_str(out, NULL, word);
	}
	out_close(out, ']');
	out_open(out, key, '[');
	if (is_text)
		out_str(out, NULL, item);
	else
		buf_str(out, item);
	out_close(out, ']');
	out_close(out, '}');
}

static const struct {
	const char *word, *access;
	bool is_port;
} accesses[] = {
	{ "read=", "read", false },          { "write=", "read,write,ioctl_dev", false },
	{ "exec=", "read,execute", false },  { "bind=", "bind_tcp", true },
	{ "connect=", "connect_tcp", true },
};

static int refuse(struct people *p, const char *word, const char *expected)
{
	return err_say(p->err, -EINVAL, "--landlock %.200s: expected %s", word, expected);
}

static int add_access(struct people *p, struct rules *r, const char *word, size_t i)
{
	const char *value = word + strlen(accesses[i].word);
	uint64_t port;

	if (accesses[i].is_port) {
		if (num_u64(value, UINT16_MAX, &port) < 0)
			return refuse(p, word, "a port up to 65535");
		put_rule(&r->ports, accesses[i].access, "ports",
			 arena_printf(p->arena, "%u", (unsigned int)port), false);
		return 0;
	}
	if (*value != '/')
		return refuse(p, word, "an absolute path");
	put_rule(&r->paths, accesses[i].access, "paths", value, true);
	return 0;
}

static int add_word(struct people *p, struct rules *r, const char *word)
{
	if (strcmp(word, "none") == 0) {
		rules_done(r);
		*r = (struct rules){ 0 };
		return 0;
	}
	if (strcmp(word, "default") == 0 || strcmp(word, "auto") == 0 ||
	    strcmp(word, "full") == 0) {
		r->usual = true;
		r->full = *word == 'f';
		return 0;
	}
	if (strcmp(word, "required") == 0) {
		r->required = true;
		return 0;
	}
	if (strncmp(word, "scope=", 6) == 0) {
		if (!spec_name_find(spec_landlock_scope_names, word + 6))
			return refuse(p, word, "scope=signal or scope=abstract_unix_socket");
		out_str(&r->scopes, NULL, word + 6);
		return 0;
	}
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		if (strncmp(word, accesses[i].word, strlen(accesses[i].word)) == 0)
			return add_access(p, r, word, i);
	return refuse(p, word,
		      "default, full, none, required, read=PATH, write=PATH, exec=PATH, bind=PORT, "
		      "connect=PORT or scope=NAME");
}

/* ---- default ------------------------------------------------------------------------------------
 */

static bool is_writable(const struct people_mount *m)
{
	return !value_has(m->options, "ro") && !value_has(m->options, "rro");
}

/* Given paths take the place of these: they are what may be reached. */
static void add_usual_paths(struct people *p, struct rules *r)
{
	bool readonly = !p->rootfs || p->flags->read_only;

	if (!readonly || r->paths.len > 0) {
		r->full |= r->paths.len > 0;
		return;
	}
	put_rule(&r->paths, "read,execute", "paths", "/", true);
	for (size_t i = 0; i < p->n_mounts; i++)
		if (is_writable(&p->mounts[i]))
			put_rule(&r->paths, "all", "paths", p->mounts[i].destination, true);
}

/*
 * Only where a namespace does not separate already: another program in the same container, started
 * by exec, is outside of this scope.
 */
static void add_usual_scopes(struct people *p, struct rules *r)
{
	if (r->scopes.len > 0)
		return;
	if (p->host_net)
		out_str(&r->scopes, NULL, "abstract_unix_socket");
	if (p->host_pid)
		out_str(&r->scopes, NULL, "signal");
}

static const char *render(struct people *p, const struct rules *r)
{
	_cleanup_buf_ struct buf out = { 0 };

	out_open(&out, NULL, '{');
	out_open(&out, "ruleset", '{');
	if (r->paths.len > 0)
		buf_printf(&out, "\"handledAccessFS\":[%s]", r->full ? "\"all\"" : NAMES);
	if (r->ports.len > 0) {
		out_key(&out, "handledAccessNet");
		buf_str(&out, "[\"all\"]");
	}
	out_part(&out, "scoped", '[', &r->scopes);
	out_close(&out, '}');
	out_open(&out, "rules", '{');
	out_part(&out, "pathBeneath", '[', &r->paths);
	out_part(&out, "netPort", '[', &r->ports);
	out_close(&out, '}');
	out_bool(&out, "disableBestEffort", r->required);
	out_close(&out, '}');
	return arena_strndup(p->arena, buf_text(&out), out.len);
}

int run_landlock(struct people *p)
{
	_cleanup_(rules_done) struct rules r = { 0 };
	const struct spec_strings *words = &p->flags->landlock;
	bool mounts = p->flags->privileged || (p->caps >> CAP_SYS_ADMIN & 1);
	int result = 0;

	for (size_t i = 0; i < words->n && result == 0; i++)
		result = add_word(p, &r, words->v[i]);
	if (result < 0)
		return result;
	if (!r.usual)
		r.full = true;
	if (r.usual && !mounts) {
		add_usual_paths(p, &r);
		add_usual_scopes(p, &r);
	}
	if (r.paths.len == 0 && r.ports.len == 0 && r.scopes.len == 0)
		return 0;
	p->landlock = render(p, &r);
	p->landlock_abi = lsm_landlock_abi();
	return 0;
}
