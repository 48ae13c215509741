/*
 * file.c - state.json and the file `init`: written once, read by every other command.
 *
 * One table says what state.json holds; both directions follow it. All keys are always there: a
 * file that lacks one was not written by us, and what it means for `exec` or `delete` is not to be
 * guessed.
 *
 * A kill while a file is written leaves it without its end, which is its only newline. Nothing has
 * happened by then that the file would have to tell, so such a file counts as not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/num.h"
#include "state/state.h"
#include "sys/sys.h"

#define MAX_STATE (4UL * 1024 * 1024)
#define PID_MAX   4194304 /* PID_MAX_LIMIT of the kernel */

enum field_type {
	FIELD_TEXT, /* or null */
	FIELD_FLAG,
	FIELD_U32,
	FIELD_U64,
	FIELD_STRINGS,
	FIELD_PAIRS,
};

struct field {
	const char *key;
	enum field_type type;
	size_t at;
	bool required; /* a text that must not be null */
};

#define AT(member) offsetof(struct state, member)

static const struct field fields[] = {
	{ "id", FIELD_TEXT, AT(id), true },
	{ "ociVersion", FIELD_TEXT, AT(oci_version), true },
	{ "bundle", FIELD_TEXT, AT(bundle), true },
	{ "rootfs", FIELD_TEXT, AT(rootfs), true },
	{ "annotations", FIELD_PAIRS, AT(annotations), false },
	{ "cgroups", FIELD_STRINGS, AT(cgroups), false },
	{ "systemdCgroup", FIELD_FLAG, AT(systemd_cgroup), false },
	{ "systemdUnit", FIELD_TEXT, AT(systemd_unit), false },
	{ "systemdDescription", FIELD_TEXT, AT(systemd_description), false },
	{ "systemdUser", FIELD_FLAG, AT(systemd_user), false },
	{ "systemdRoot", FIELD_TEXT, AT(systemd_root), false },
	{ "namespaces", FIELD_U64, AT(namespaces), false },
	{ "capabilities", FIELD_FLAG, AT(capabilities.has), false },
	{ "bounding", FIELD_U64, AT(capabilities.bounding), false },
	{ "effective", FIELD_U64, AT(capabilities.effective), false },
	{ "inheritable", FIELD_U64, AT(capabilities.inheritable), false },
	{ "permitted", FIELD_U64, AT(capabilities.permitted), false },
	{ "ambient", FIELD_U64, AT(capabilities.ambient), false },
	{ "apparmorProfile", FIELD_TEXT, AT(apparmor_profile), false },
	{ "selinuxLabel", FIELD_TEXT, AT(selinux_label), false },
	{ "processAt", FIELD_U64, AT(process.at), false },
	{ "processLength", FIELD_U64, AT(process.len), false },
	{ "noNewPrivileges", FIELD_FLAG, AT(no_new_privileges), false },
	{ "filter", FIELD_FLAG, AT(has_filter), false },
	{ "filterFlags", FIELD_U32, AT(filter_flags), false },
	{ "poststart", FIELD_FLAG, AT(poststart), false },
	{ "poststop", FIELD_FLAG, AT(poststop), false },
	{ "intelRdt", FIELD_TEXT, AT(intel_rdt), false },
	{ "afterStart", FIELD_STRINGS, AT(after_start), false },
	{ "afterStartFirst", FIELD_U64, AT(after_start_first), false },
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* ---- writing ----------------------------------------------------------------------------- */

static void render_strings(const struct spec_strings *strings, struct buf *out)
{
	buf_str(out, "[");
	for (size_t i = 0; i < strings->n; i++) {
		buf_str(out, i > 0 ? "," : "");
		buf_json_str(out, strings->v[i]);
	}
	buf_str(out, "]");
}

static void render_pairs(const struct spec_pairs *pairs, struct buf *out)
{
	buf_str(out, "{");
	for (size_t i = 0; i < pairs->n; i++) {
		buf_str(out, i > 0 ? "," : "");
		buf_json_str(out, pairs->v[i].key);
		buf_str(out, ":");
		buf_json_str(out, pairs->v[i].value);
	}
	buf_str(out, "}");
}

static void render_field(const struct field *f, const void *value, struct buf *out)
{
	switch (f->type) {
	case FIELD_TEXT:
		buf_json_str(out, *(const char *const *)value);
		break;
	case FIELD_FLAG:
		buf_str(out, *(const bool *)value ? "true" : "false");
		break;
	case FIELD_U32:
		buf_printf(out, "%lu", (unsigned long)*(const uint32_t *)value);
		break;
	case FIELD_U64:
		buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
		break;
	case FIELD_STRINGS:
		render_strings(value, out);
		break;
	case FIELD_PAIRS:
		render_pairs(value, out);
		break;
	}
}

void state_render(const struct state *state, struct buf *ret)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		buf_printf(ret, "%s\"%s\":", i == 0 ? "{" : ",", fields[i].key);
		render_field(&fields[i], (const char *)state + fields[i].at, ret);
	}
	buf_str(ret, "}\n");
}

/* ---- reading ----------------------------------------------------------------------------- */

struct reader {
	const struct json_doc *doc;
	struct arena *arena;
	struct err *err;
};

static int refuse(const struct reader *r, const struct json *value, const char *expected)
{
	return json_refuse(r->doc, value, r->err, "expected %s", expected);
}

static int read_text(const struct reader *r, const struct json *value, bool required,
		     const char **ret)
{
	if (value->type == JSON_TYPE_STRING)
		*ret = value->text;
	else if (value->type != JSON_TYPE_NULL || required)
		return refuse(r, value, "a string");
	return 0;
}

static int read_number(const struct reader *r, const struct json *value, uint64_t max,
		       uint64_t *ret)
{
	return json_u64(value, max, ret) < 0 ? refuse(r, value, "a whole number") : 0;
}

static int read_strings(const struct reader *r, const struct json *array, struct spec_strings *ret)
{
	size_t n = 0;

	if (array->type != JSON_TYPE_ARRAY)
		return refuse(r, array, "an array");
	if (array->len == 0)
		return 0;
	ret->v = arena_array(r->arena, array->len + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (const struct json *item = json_first(array); item; item = json_next(array, item)) {
		if (item->type != JSON_TYPE_STRING)
			return refuse(r, item, "a string");
		ret->v[n] = arena_strndup(r->arena, item->text, item->len);
		if (!ret->v[n++])
			return -ENOMEM;
	}
	ret->n = n;
	return 0;
}

static int read_pairs(const struct reader *r, const struct json *object, struct spec_pairs *ret)
{
	size_t n = 0;

	if (object->type != JSON_TYPE_OBJECT)
		return refuse(r, object, "an object");
	if (object->len == 0)
		return 0;
	ret->v = arena_array(r->arena, object->len, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (const struct json *key = json_first(object); key; key = json_next(object, key)) {
		if (json_value(key)->type != JSON_TYPE_STRING)
			return refuse(r, json_value(key), "a string");
		ret->v[n++] = (struct spec_pair){ key->text, json_value(key)->text };
	}
	ret->n = n;
	return 0;
}

static int read_field(const struct reader *r, const struct field *f, const struct json *value,
		      void *ret)
{
	uint64_t number = 0;
	int result = 0;

	switch (f->type) {
	case FIELD_TEXT:
		return read_text(r, value, f->required, ret);
	case FIELD_FLAG:
		if (value->type != JSON_TYPE_TRUE && value->type != JSON_TYPE_FALSE)
			return refuse(r, value, "true or false");
		*(bool *)ret = value->type == JSON_TYPE_TRUE;
		return 0;
	case FIELD_U32:
		result = read_number(r, value, UINT32_MAX, &number);
		*(uint32_t *)ret = (uint32_t)number;
		return result;
	case FIELD_U64:
		return read_number(r, value, UINT64_MAX, ret);
	case FIELD_STRINGS:
		return read_strings(r, value, ret);
	case FIELD_PAIRS:
		return read_pairs(r, value, ret);
	}
	return -EINVAL;
}

static int parse(const char *text, size_t len, const char *id, struct arena *arena,
		 struct state *ret, struct err *err)
{
	const char *name = arena_printf(arena, "state of container %s", id);
	struct json_doc doc;
	struct reader reader = { &doc, arena, err };
	int r = json_parse(&doc, name, text, len, arena, err);

	for (size_t i = 0; i < N_FIELDS && r == 0; i++) {
		const struct json *value = json_get(doc.values, fields[i].key);

		if (!value)
			return json_refuse(&doc, doc.values, err, "%s is missing", fields[i].key);
		r = read_field(&reader, &fields[i], value, (char *)ret + fields[i].at);
	}
	if (r == -ENOMEM)
		return err_set(err, r, "read the state of container %s", id);
	if (r == 0 && strcmp(ret->id, id) != 0)
		return err_say(err, -EINVAL,
			       "the state of container %s is that of %s: its directory was renamed",
			       id, ret->id);
	return r;
}

struct file {
	char *text; /* in the arena, terminated */
	size_t len;
	struct stat st;
};

/*
 * 1: it has the whole file, 0: there is none, or it has no end. Straight into the arena: whoever
 * reads hundreds of states would else have malloc() map and unmap pages for each.
 */
static int read_file(int dir, const char *name, struct arena *arena, struct file *ret)
{
	_cleanup_close_ int fd = sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	ssize_t n;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &ret->st) < 0)
		return -errno;
	if (ret->st.st_size > (off_t)MAX_STATE)
		return -EFBIG;
	ret->text = arena_alloc(arena, (size_t)ret->st.st_size + 1);
	if (!ret->text)
		return -ENOMEM;
	n = sys_read(fd, ret->text, (size_t)ret->st.st_size);
	if (n < 0)
		return (int)n;
	ret->len = (size_t)n;
	return n > 0 && ret->text[n - 1] == '\n';
}

/* "PID STARTTIME\n" */
static int read_process(int dir, const char *name, struct arena *arena, pid_t *ret_pid,
			uint64_t *ret_start)
{
	struct file file;
	uint64_t pid, start;
	char *space;
	int r = read_file(dir, name, arena, &file);

	if (r <= 0)
		return r;
	file.text[file.len - 1] = '\0';
	space = strchr(file.text, ' ');
	if (!space)
		return -EINVAL;
	*space = '\0';
	if (num_u64(file.text, PID_MAX, &pid) < 0 || pid == 0 ||
	    num_u64(space + 1, UINT64_MAX, &start) < 0 || start == 0)
		return -EINVAL;
	*ret_pid = (pid_t)pid;
	*ret_start = start;
	return 0;
}

int state_read(int dir, const char *id, struct arena *arena, struct state *ret, struct err *err)
{
	struct state state = { 0 };
	struct file file = { 0 };
	uint64_t restorer_start = 0;
	int r;

	state.id = arena_printf(arena, "%s", id);
	r = read_file(dir, STATE_FILE, arena, &file);
	if (r < 0)
		return err_set(err, r, "read " STATE_FILE " of container %s", id);
	if (r == 1) {
		r = parse(file.text, file.len, id, arena, &state, err);
		if (r < 0)
			return r;
	}
	r = read_process(dir, STATE_INIT, arena, &state.pid, &state.start_time);
	if (r < 0)
		return err_set(err, r, "read the file " STATE_INIT " of container %s", id);
	r = read_process(dir, STATE_RESTORER, arena, &state.restorer, &restorer_start);
	if (r < 0)
		return err_set(err, r, "read the file " STATE_RESTORER " of container %s", id);
	state.created_sec = file.st.st_mtim.tv_sec;
	state.created_nsec = (uint32_t)file.st.st_mtim.tv_nsec;
	state.owner = file.st.st_uid;
	*ret = state;
	return 0;
}
