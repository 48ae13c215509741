/*
 * edit.c - edits are first collected, one mark for each call that Linux has; then the rules are
 * written anew without the marked calls, and with up to three rules more that only name those.
 */
#include "seccomp/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/nearest.h"
#include "seccomp/group.h"
#include "seccomp/profile.h"
#include "seccomp/syscalls.h"

#define DEFAULT_PROFILE "default"
#define UNCONFINED      "unconfined"
#define WORD_MAX        64 /* longer than any name of a call or group */

enum mark {
	MARK_NONE,
	MARK_GONE, /* in no rule: its own part decides, see mark_multiplexer() */
	MARK_ALLOW,
	MARK_DENY,
	MARK_ENOSYS,
	MARKS,
};

struct editor {
	struct arena *arena;
	struct err *err;
	size_t n_rows;
	uint8_t *marks; /* enum mark, by row of the table of calls */
};

/* ---- from the text to marks --------------------------------------------------------------- */

static void mark_row(struct editor *e, int row, bool allow)
{
	const char *name = syscall_row_name(row);

	e->marks[row] = allow ? MARK_ALLOW : group_prober(name) ? MARK_ENOSYS : MARK_DENY;
}

/*
 * socketcall(2) and ipc(2) of i386 stand for many calls. Where a profile allows them as such, the
 * denied call would still be there; without a rule of their own they do what the rules for the
 * single calls say.
 */
static void mark_multiplexer(struct editor *e, int row)
{
	if (syscall_socketcall(row) != 0)
		e->marks[syscall_row("socketcall")] = MARK_GONE;
	if (syscall_ipc(row) != 0)
		e->marks[syscall_row("ipc")] = MARK_GONE;
}

static void mark_form(struct editor *e, int row, bool allow)
{
	mark_row(e, row, allow);
	if (!allow)
		mark_multiplexer(e, row);
}

static void mark_call(struct editor *e, int row, bool allow)
{
	const char *name = syscall_row_name(row), *variant;

	mark_form(e, row, allow);
	for (unsigned int i = 0; (variant = group_variant(name, i)); i++)
		mark_form(e, syscall_row(variant), allow);
}

static int unknown_call(struct editor *e, const char *word, char sign)
{
	struct nearest nearest = nearest_to(word);

	for (size_t row = 0; row < e->n_rows; row++)
		nearest_consider(&nearest, syscall_row_name((int)row));
	(void)err_say(e->err, -EINVAL, "seccomp: %c%s: Linux has no call of that name", sign, word);
	if (nearest.name)
		return err_hint(e->err, "did you mean %c%s?", sign, nearest.name);
	return err_hint(e->err, "names are those of syscalls(2); a group of them is %c@GROUP",
			sign);
}

static int unknown_group(struct editor *e, const char *word, char sign)
{
	struct nearest nearest = nearest_to(word);
	_cleanup_buf_ struct buf names = { 0 };

	for (unsigned int i = 0; group_at(i); i++) {
		nearest_consider(&nearest, group_at(i)->name);
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", group_at(i)->name);
	}
	(void)err_say(e->err, -EINVAL, "seccomp: %c@%s: there is no group of that name", sign,
		      word);
	if (nearest.name)
		return err_hint(e->err, "did you mean %c@%s?", sign, nearest.name);
	return err_hint(e->err, "groups are %s", buf_text(&names));
}

static int mark_group(struct editor *e, const char *word, char sign)
{
	const struct syscall_group *group = group_find(word, strlen(word));
	const char *p = group ? group->calls : "";
	char name[WORD_MAX];

	if (!group)
		return unknown_group(e, word, sign);
	while (*p) {
		size_t len = strcspn(p, " ");

		memcpy(name, p, len);
		name[len] = '\0';
		mark_call(e, syscall_row(name), sign == '+');
		p += len + strspn(p + len, " ");
	}
	return 0;
}

static int mark_word(struct editor *e, const char *edit, size_t len)
{
	char word[WORD_MAX], shown[JSON_SHOWN_SIZE];
	int row;

	if (len < 2 || len > sizeof(word) || (*edit != '+' && *edit != '-')) {
		json_show_text(arena_strndup(e->arena, edit, len), shown);
		(void)err_say(e->err, -EINVAL, "seccomp: %s is no edit of a profile", shown);
		return err_hint(e->err, "expected +CALL, -CALL, +@GROUP or -@GROUP, separated by "
					"commas");
	}
	memcpy(word, edit + 1, len - 1);
	word[len - 1] = '\0';
	if (*word == '@')
		return mark_group(e, word + 1, *edit);
	row = syscall_row(word);
	if (row < 0)
		return unknown_call(e, word, *edit);
	mark_call(e, row, *edit == '+');
	return 0;
}

static int mark_all(struct editor *e, const char *edits)
{
	int r = 0;

	while (r == 0) {
		size_t len = strcspn(edits, ",");

		r = mark_word(e, edits, len);
		if (edits[len] == '\0')
			break;
		edits += len + 1;
	}
	return r;
}

/* ---- from marks to rules ------------------------------------------------------------------ */

static bool is_marked(const struct editor *e, const char *name)
{
	int row = syscall_row(name);

	return row >= 0 && e->marks[row] != MARK_NONE;
}

/* The rule without its marked calls; false if nothing is left of it. */
static bool keep_rule(struct editor *e, const struct spec_seccomp_rule *rule,
		      struct spec_seccomp_rule *ret)
{
	size_t n = 0;
	char **v = arena_array(e->arena, rule->names.n + 1, sizeof(*v));

	for (size_t i = 0; v && i < rule->names.n; i++)
		if (!is_marked(e, rule->names.v[i]))
			v[n++] = rule->names.v[i];
	*ret = *rule;
	ret->names = (struct spec_strings){ .n = n, .v = v };
	return n > 0;
}

static bool lets_pass(uint32_t action)
{
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       action == SECCOMP_RET_TRACE || action == SECCOMP_RET_USER_NOTIF;
}

static void set_action(const struct spec_seccomp *spec, enum mark mark,
		       struct spec_seccomp_rule *rule)
{
	rule->action = SECCOMP_RET_ERRNO;
	if (mark == MARK_ALLOW) {
		rule->action = SECCOMP_RET_ALLOW;
	} else if (mark == MARK_ENOSYS) {
		rule->errno_ret = (struct opt_u64){ .has = true, .value = ENOSYS };
	} else if (!lets_pass(spec->default_action)) {
		rule->action = spec->default_action;
		rule->errno_ret = spec->default_errno_ret;
	}
}

/* One rule for all calls with the mark; false if there are none. */
static bool make_rule(struct editor *e, const struct spec_seccomp *spec, enum mark mark,
		      struct spec_seccomp_rule *ret)
{
	char **v = arena_array(e->arena, e->n_rows, sizeof(*v));
	size_t n = 0;

	for (size_t row = 0; v && row < e->n_rows; row++) {
		const char *name = syscall_row_name((int)row);

		if (e->marks[row] == mark)
			v[n++] = arena_strndup(e->arena, name, strlen(name));
	}
	*ret = (struct spec_seccomp_rule){ .names = { .n = n, .v = v } };
	set_action(spec, mark, ret);
	return n > 0;
}

int profile_edit(const struct spec_seccomp *spec, const char *edits, struct arena *arena,
		 struct spec_seccomp *ret, struct err *err)
{
	struct editor e = { .arena = arena, .err = err, .n_rows = syscall_rows() };
	struct spec_seccomp_rule *rules;
	size_t n = 0;
	int r;

	e.marks = arena_alloc(arena, e.n_rows);
	rules = arena_array(arena, spec->n_rules + MARKS, sizeof(*rules));
	if (!e.marks || !rules)
		return err_set(err, -ENOMEM, "edit the seccomp profile");
	r = mark_all(&e, edits);
	if (r < 0)
		return r;
	for (size_t i = 0; i < spec->n_rules; i++)
		n += keep_rule(&e, &spec->rules[i], &rules[n]);
	for (enum mark mark = MARK_ALLOW; mark < MARKS; mark++)
		n += make_rule(&e, spec, mark, &rules[n]);
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "edit the seccomp profile");
	*ret = *spec;
	ret->rules = rules;
	ret->n_rules = n;
	return 0;
}

/* ---- from a name to a profile ------------------------------------------------------------- */

static int no_such_profile(const char *name, struct err *err)
{
	struct nearest nearest = nearest_to(name);

	nearest_consider(&nearest, UNCONFINED);
	for (unsigned int i = 0; profile_at(i); i++)
		nearest_consider(&nearest, profile_at(i)->name);
	(void)err_say(err, -ENOENT,
		      "seccomp: %s is neither a built-in profile nor the path of a file", name);
	if (nearest.name)
		return err_hint(err, "did you mean %s?", nearest.name);
	return err_hint(err, "built in are default, docker-default and unconfined; give a path to "
			     "use a profile of your own");
}

static int read_file(const char *path, struct arena *arena, struct spec_source *ret,
		     struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_buf_ struct buf text = { 0 };
	const char *copy;
	int r;

	if (fd < 0 && errno == ENOENT && !strchr(path, '/'))
		return no_such_profile(path, err);
	if (fd < 0)
		return err_set(err, -errno, "open the seccomp profile %s", path);
	r = buf_read_fd(&text, fd, JSON_MAX_SIZE);
	if (r < 0)
		return err_set(err, r, "read the seccomp profile %s", path);
	copy = arena_strndup(arena, buf_text(&text), text.len);
	if (!copy)
		return err_set(err, -ENOMEM, "read the seccomp profile %s", path);
	*ret = (struct spec_source){ .name = path, .text = copy, .len = text.len };
	return 0;
}

int profile_text(const char *name, struct arena *arena, struct spec_source *ret, struct err *err)
{
	const struct seccomp_profile *profile = profile_find(name);

	if (!profile)
		return read_file(name, arena, ret, err);
	*ret = (struct spec_source){ .name = profile->name,
				     .text = profile->json,
				     .len = strlen(profile->json) };
	return 0;
}

int profile_open(struct arena *arena, struct spec_seccomp *ret, struct err *err)
{
	struct spec_seccomp profile;
	int r = profile_read(DEFAULT_PROFILE, arena, &profile, err);

	if (r < 0)
		return r;
	*ret = (struct spec_seccomp){
		.has = true,
		.default_action = SECCOMP_RET_ALLOW,
		.n_arch_map = profile.n_arch_map,
		.arch_map = profile.arch_map,
	};
	return 0;
}

static int read_named(const char *name, struct arena *arena, struct spec_seccomp *ret,
		      struct err *err)
{
	struct spec_source source;
	int r;

	if (strcmp(name, UNCONFINED) == 0)
		return profile_open(arena, ret, err);
	r = profile_text(name, arena, &source, err);
	return r < 0 ? r : spec_read_seccomp(&source, arena, ret, err);
}

const char *profile_edits(const char *text)
{
	if (*text == '+' || *text == '-')
		return text;
	for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ','))
		if (comma[1] == '+' || comma[1] == '-' || comma[1] == '\0')
			return comma + 1;
	return NULL;
}

int profile_resolve(const char *text, struct arena *arena, struct spec_seccomp *ret,
		    bool *ret_unconfined, struct err *err)
{
	const char *edits = profile_edits(text), *name = text;
	struct spec_seccomp profile;
	int r;

	if (edits == text)
		name = DEFAULT_PROFILE;
	else if (edits)
		name = arena_strndup(arena, text, (size_t)(edits - text) - 1);
	if (!name)
		return err_set(err, -ENOMEM, "read the seccomp profile");
	if (!edits && strcmp(name, UNCONFINED) == 0) {
		*ret = (struct spec_seccomp){ .has = false };
		*ret_unconfined = true;
		return 0;
	}
	r = read_named(name, arena, &profile, err);
	if (r == 0)
		r = edits ? profile_edit(&profile, edits, arena, ret, err) : 0;
	if (r < 0)
		return r;
	if (!edits)
		*ret = profile;
	*ret_unconfined = false;
	return 0;
}
