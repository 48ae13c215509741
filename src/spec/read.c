/*
 * read.c - the ways into a spec: the outermost rows of config.json, and the parts that come alone.
 */
#include "spec/read.h"

#include <errno.h>

#include "spec/check.h"
#include "spec/field.h"

/* ---- root, mounts, hooks ------------------------------------------------------------------ */

static const struct field root_fields[] = {
	{ KEY("path"), REQUIRED, IS_STRING(struct spec_root, path) },
	{ KEY("readonly"), IS_BOOL(struct spec_root, readonly) },
};

static const struct field_table root_table = {
	TABLE(root_fields, struct spec_root),
	.has = true,
};

static const struct field mount_fields[] = {
	{ KEY("destination"), REQUIRED, IS_STRING(struct spec_mount, destination) },
	{ KEY("type"), IS_STRING(struct spec_mount, type) },
	{ KEY("source"), IS_STRING(struct spec_mount, source) },
	{ KEY("options"), IS_STRINGS(struct spec_mount, options) },
	{ KEY("uidMappings"), .kind = FIELD_LIST, AT(struct spec_mount, uid_mappings),
	  .table = &id_mapping_table },
	{ KEY("gidMappings"), .kind = FIELD_LIST, AT(struct spec_mount, gid_mappings),
	  .table = &id_mapping_table },
};

/* Before 1.0 a relative destination was allowed; runc still takes it as one below the root. */
static int finish_mount(const struct reader *r, const struct json *object, void *base)
{
	struct spec_mount *mount = base;

	(void)object;
	if (*mount->destination != '/')
		mount->destination = arena_printf(r->arena, "/%s", mount->destination);
	return 0;
}

static const struct field_table mount_table = {
	TABLE(mount_fields, struct spec_mount),
	.finish = finish_mount,
};

static const struct field hook_fields[] = {
	{ KEY("path"), REQUIRED, IS_STRING(struct spec_hook, path) },
	{ KEY("args"), IS_STRINGS(struct spec_hook, args) },
	{ KEY("env"), IS_STRINGS(struct spec_hook, env) },
	{ KEY("timeout"), IS_OPT_NUMBER(struct spec_hook, timeout, 1, INT32_MAX) },
};

static const struct field_table hook_table = { TABLE(hook_fields, struct spec_hook) };

#define IS_HOOKS(member) .kind = FIELD_LIST, AT(struct spec_hooks, member), .table = &hook_table

static const struct field hooks_fields[] = {
	{ KEY("prestart"), IS_HOOKS(prestart) },
	{ KEY("createRuntime"), IS_HOOKS(create_runtime) },
	{ KEY("createContainer"), IS_HOOKS(create_container) },
	{ KEY("startContainer"), IS_HOOKS(start_container) },
	{ KEY("poststart"), IS_HOOKS(poststart) },
	{ KEY("poststop"), IS_HOOKS(poststop) },
};

static const struct field_table hooks_table = { TABLE(hooks_fields, struct spec_hooks) };

/* ---- config.json -------------------------------------------------------------------------- */

static const struct field spec_fields[] = {
	{ KEY("ociVersion"), REQUIRED, IS_STRING(struct spec, oci_version) },
	{ KEY("process"), IS_OBJECT(struct spec, process, process_table) },
	{ KEY("root"), IS_OBJECT(struct spec, root, root_table) },
	{ KEY("hostname"), IS_STRING(struct spec, hostname) },
	{ KEY("domainname"), IS_STRING(struct spec, domainname) },
	{ KEY("mounts"), IS_LIST(struct spec, n_mounts, mounts, mount_table) },
	{ KEY("hooks"), IS_OBJECT(struct spec, hooks, hooks_table) },
	{ KEY("annotations"), IS_PAIRS(struct spec, annotations) },
	{ KEY("linux"), IS_OBJECT(struct spec, linux, linux_table) },
	{ KEY("solaris"), IS_IGNORED }, /* other platforms */
	{ KEY("windows"), IS_IGNORED },
	{ KEY("vm"), IS_IGNORED },
	{ KEY("zos"), IS_IGNORED },
	{ KEY("freebsd"), IS_IGNORED },
};

static const struct field_table spec_table = { TABLE(spec_fields, struct spec) };

/* ---- ways in ------------------------------------------------------------------------------ */

static int read_document(const struct spec_source *source, struct json_doc *ret_doc,
			 struct reader *r)
{
	int result = json_parse(ret_doc, source->name, source->text, source->len, r->arena, r->err);

	r->source = source;
	r->doc = ret_doc;
	return result;
}

/* A check knows the path of what it refuses; the document knows where that is. */
static int add_place(const struct reader *r)
{
	struct json_place place = json_place(r->doc, json_locate(r->doc, r->err->msg));

	return err_prefix(r->err, "%s:%u:%u", r->doc->name, place.line, place.column);
}

/* Whether everything found memory, which the arena remembers. */
static int finish(const struct reader *r, int result)
{
	if (result == 0 && arena_failed(r->arena))
		return err_set(r->err, -ENOMEM, "read %s", r->source->name);
	return result < 0 ? add_place(r) : 0;
}

/* From the brace that opens a member of the root, an object, to the one that closes it. */
static struct spec_extent extent(const struct json_doc *doc, const char *key)
{
	const struct json *value = json_get(doc->values, key), *next;
	size_t at, end = doc->len;

	if (!value)
		return (struct spec_extent){ 0 };
	at = (size_t)(value->text - doc->copy);
	next = value + value->span;
	if (next < doc->values + doc->n)
		end = (size_t)(next->text - doc->copy);
	else
		while (doc->source[--end] != '}')
			;
	while (doc->source[end - 1] != '}')
		end--;
	return (struct spec_extent){ at, end - at };
}

int spec_read(const struct spec_source *source, struct arena *arena, struct spec *ret,
	      struct err *err)
{
	struct reader r = { .arena = arena, .err = err };
	struct spec spec = { 0 };
	struct json_doc doc;
	int result = read_document(source, &doc, &r);

	if (result == 0)
		result = field_read_object(&r, &spec_table, doc.values, &spec);
	if (result < 0)
		return result;
	result = finish(&r, spec_check(&spec, err));
	spec.process_text = extent(&doc, "process");
	if (result == 0)
		*ret = spec;
	return result;
}

int spec_read_process(const struct spec_source *source, struct arena *arena,
		      struct spec_process *ret, struct err *err)
{
	struct reader r = { .arena = arena, .err = err };
	struct spec_process process = { 0 };
	struct json_doc doc;
	int result = read_document(source, &doc, &r);

	if (result == 0)
		result = field_read_object(&r, &process_table, doc.values, &process);
	if (result < 0)
		return result;
	result = finish(&r, spec_check_process(&process, err));
	if (result == 0)
		*ret = process;
	return result;
}

int spec_read_resources(const struct spec_source *source, struct arena *arena,
			struct spec_resources *ret, struct err *err)
{
	struct reader r = { .arena = arena, .err = err };
	struct spec_resources resources = { 0 };
	struct json_doc doc;
	int result = read_document(source, &doc, &r);

	if (result == 0)
		result = field_read_object(&r, &resources_table, doc.values, &resources);
	if (result < 0)
		return result;
	result = finish(&r, spec_check_resources(&resources, err));
	if (result == 0)
		*ret = resources;
	return result;
}

int spec_read_seccomp(const struct spec_source *source, struct arena *arena,
		      struct spec_seccomp *ret, struct err *err)
{
	struct reader r = { .arena = arena, .err = err, .is_docker_profile = true };
	struct spec_seccomp seccomp = { 0 };
	struct json_doc doc;
	int result = read_document(source, &doc, &r);

	if (result == 0)
		result = field_read_object(&r, &seccomp_table, doc.values, &seccomp);
	if (result < 0)
		return result;
	result = finish(&r, spec_check_seccomp(&seccomp, err));
	if (result == 0)
		*ret = seccomp;
	return result;
}
