/*
 * landlock.c - see landlock.h.
 */
#include "spec/landlock.h"

#include <string.h>

#include "spec/check_part.h"
#include "spec/field.h"
#include "sys/landlock.h"

#define READ (LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR)
#define WRITE                                                                                      \
	(LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_REMOVE_DIR |                  \
	 LANDLOCK_FS_REMOVE_FILE | LANDLOCK_FS_MAKE_DIR | LANDLOCK_FS_MAKE_REG |                   \
	 LANDLOCK_FS_MAKE_SOCK | LANDLOCK_FS_MAKE_FIFO | LANDLOCK_FS_MAKE_SYM | LANDLOCK_FS_REFER)
#define ALL_FS                                                                                     \
	(READ | WRITE | LANDLOCK_FS_EXECUTE | LANDLOCK_FS_MAKE_CHAR | LANDLOCK_FS_MAKE_BLOCK |     \
	 LANDLOCK_FS_IOCTL_DEV)
#define ALL_NET (LANDLOCK_NET_BIND_TCP | LANDLOCK_NET_CONNECT_TCP)

const struct spec_name spec_landlock_fs_names[] = {
	{ "execute", LANDLOCK_FS_EXECUTE },
	{ "write_file", LANDLOCK_FS_WRITE_FILE },
	{ "read_file", LANDLOCK_FS_READ_FILE },
	{ "read_dir", LANDLOCK_FS_READ_DIR },
	{ "remove_dir", LANDLOCK_FS_REMOVE_DIR },
	{ "remove_file", LANDLOCK_FS_REMOVE_FILE },
	{ "make_char", LANDLOCK_FS_MAKE_CHAR },
	{ "make_dir", LANDLOCK_FS_MAKE_DIR },
	{ "make_reg", LANDLOCK_FS_MAKE_REG },
	{ "make_sock", LANDLOCK_FS_MAKE_SOCK },
	{ "make_fifo", LANDLOCK_FS_MAKE_FIFO },
	{ "make_block", LANDLOCK_FS_MAKE_BLOCK },
	{ "make_sym", LANDLOCK_FS_MAKE_SYM },
	{ "refer", LANDLOCK_FS_REFER },
	{ "truncate", LANDLOCK_FS_TRUNCATE },
	{ "ioctl_dev", LANDLOCK_FS_IOCTL_DEV },
	{ "read", READ },
	{ "write", WRITE },
	{ "all", ALL_FS },
	{ NULL, 0 },
};

const struct spec_name spec_landlock_net_names[] = {
	{ "bind_tcp", LANDLOCK_NET_BIND_TCP },
	{ "connect_tcp", LANDLOCK_NET_CONNECT_TCP },
	{ "all", ALL_NET },
	{ NULL, 0 },
};

const struct spec_name spec_landlock_scope_names[] = {
	{ "abstract_unix_socket", LANDLOCK_SCOPE_UNIX },
	{ "signal", LANDLOCK_SCOPE_SIGNAL },
	{ NULL, 0 },
};

/* ---- rows --------------------------------------------------------------------------------------
 */

static const struct field paths_fields[] = {
	{ KEY("allowedAccess"), REQUIRED,
	  IS_FLAGS(struct spec_landlock_paths, access, spec_landlock_fs_names) },
	{ KEY("paths"), REQUIRED, IS_STRINGS(struct spec_landlock_paths, paths) },
};

static int finish_paths(const struct reader *r, const struct json *object, void *base)
{
	const struct spec_landlock_paths *rule = base;

	for (size_t i = 0; i < rule->paths.n; i++)
		if (!check_is_clean_path(rule->paths.v[i]))
			return field_not_allowed(r, json_get(object, "paths"),
						 "has a path that is relative or has a .. in it",
						 "absolute paths");
	return 0;
}

static const struct field_table paths_table = {
	TABLE(paths_fields, struct spec_landlock_paths),
	.closed = true,
	.finish = finish_paths,
};

static const struct field ports_fields[] = {
	{ KEY("allowedAccess"), REQUIRED,
	  IS_FLAGS(struct spec_landlock_ports, access, spec_landlock_net_names) },
	{ KEY("ports"), REQUIRED,
	  IS_NUMBERS(struct spec_landlock_ports, n_ports, ports, UINT16_MAX) },
};

static const struct field_table ports_table = {
	TABLE(ports_fields, struct spec_landlock_ports),
	.closed = true,
};

static const struct field ruleset_fields[] = {
	{ KEY("handledAccessFS"), IS_FLAGS(struct spec_landlock, fs, spec_landlock_fs_names) },
	{ KEY("handledAccessNet"), IS_FLAGS(struct spec_landlock, net, spec_landlock_net_names) },
	{ KEY("scoped"), IS_FLAGS(struct spec_landlock, scoped, spec_landlock_scope_names) },
};

static const struct field_table ruleset_table = {
	TABLE(ruleset_fields, struct spec_landlock),
	.closed = true,
};

static const struct field rules_fields[] = {
	{ KEY("pathBeneath"), IS_LIST(struct spec_landlock, n_paths, paths, paths_table) },
	{ KEY("netPort"), IS_LIST(struct spec_landlock, n_ports, ports, ports_table) },
};

static const struct field_table rules_table = {
	TABLE(rules_fields, struct spec_landlock),
	.closed = true,
};

static const struct field landlock_fields[] = {
	{ KEY("ruleset"), IS_GROUP(ruleset_table) },
	{ KEY("rules"), IS_GROUP(rules_table) },
	{ KEY("disableBestEffort"), IS_BOOL(struct spec_landlock, required) },
};

static int finish_landlock(const struct reader *r, const struct json *object, void *base)
{
	struct spec_landlock *landlock = base;

	if (landlock->fs == 0 && landlock->n_paths > 0)
		landlock->fs = ALL_FS;
	if (landlock->net == 0 && landlock->n_ports > 0)
		landlock->net = ALL_NET;
	if (landlock->fs || landlock->net || landlock->scoped)
		return 0;
	return field_not_allowed(r, object, "restricts nothing", "a ruleset or rules");
}

static const struct field_table landlock_table = {
	TABLE(landlock_fields, struct spec_landlock),
	.closed = true,
	.finish = finish_landlock,
};

/* ---- reading -----------------------------------------------------------------------------------
 */

const char *spec_landlock_text(const struct spec *spec)
{
	for (size_t i = 0; i < spec->annotations.n; i++)
		if (strcmp(spec->annotations.v[i].key, SPEC_LANDLOCK_KEY) == 0)
			return spec->annotations.v[i].value;
	return NULL;
}

int spec_read_landlock(const char *text, struct arena *arena, struct spec_landlock *ret,
		       struct err *err)
{
	static const char name[] = "annotation " SPEC_LANDLOCK_KEY;
	struct spec_landlock landlock = { .required = false };
	struct spec_source source = { .name = name, .text = text, .len = strlen(text) };
	struct json_doc doc;
	struct reader reader = { .source = &source, .doc = &doc, .arena = arena, .err = err };
	int r = json_parse(&doc, name, text, source.len, arena, err);

	if (r < 0)
		return r;
	if (doc.values[0].type != JSON_TYPE_OBJECT)
		return field_wrong(&reader, &doc.values[0], "an object");
	r = field_read_object(&reader, &landlock_table, &doc.values[0], &landlock);
	if (r == 0)
		*ret = landlock;
	return r;
}
