/*
 * field.h - how config.json becomes structs: a table for each object, a row for each key.
 *
 * A row says the key's name, where its value goes, its type and what is allowed. field.c walks an
 * object once, finds each key's row and stores the value; anything that does not fit the row is an
 * error that names line, column, path, value and what would fit. Only this folder includes it.
 *
 * Rules for all keys:
 * - an empty string is as good as none, which is what engines written in Go mean by it; for a
 *   required key it is an error;
 * - null is refused, with the advice to leave the key out (except in a profile of Docker's form);
 * - a key that the table does not have is reported to the caller and skipped;
 * - a row is about one struct: offsets count from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "spec/names.h"
#include "spec/read.h"

#define ID_MAX                                                                                     \
	(UINT32_MAX -                                                                              \
	 1) /* (uid_t)-1 means "do not change" to the kernel: setuid would do nothing */

struct reader {
	const struct spec_source *source;
	const struct json_doc *doc;
	struct arena *arena;
	struct err *err;
	bool is_docker_profile; /* archMap, includes and excludes have a meaning, null has none */
};

enum field_kind {
	FIELD_IGNORED, /* known, but not for Linux or without effect today */
	FIELD_BOOL,
	FIELD_OPT_BOOL,     /* struct opt_bool */
	FIELD_NUMBER,       /* an integer of `size` bytes */
	FIELD_OPT_NUMBER,   /* struct opt_u64 or opt_i64 */
	FIELD_STRING,       /* const char * */
	FIELD_STRINGS,      /* struct spec_strings; each out of `names` if there is such a table */
	FIELD_PAIRS,        /* struct spec_pairs */
	FIELD_NUMBERS,      /* size_t n, then uint32_t * */
	FIELD_NAME,         /* a string out of `names`; its number is stored in `size` bytes */
	FIELD_FLAGS,        /* an array of names; the numbers are ORed into `size` bytes */
	FIELD_CAPABILITIES, /* uint64_t, a bit for each name of the array; unknown ones are skipped
			     */
	FIELD_OBJECT,       /* by `table`, at `offset` */
	FIELD_LIST,         /* an array of objects by `table`: size_t n, then a pointer */
	FIELD_MAP,    /* the same for an object of objects; the key is the element's first member */
	FIELD_CUSTOM, /* whatever `read` does */
};

struct field;

/* Reads `value` into the struct at `base`, which is the one that the row is about. */
typedef int (*field_read_fn)(const struct reader *r, const struct field *field,
			     const struct json *value, void *base);

struct field {
	const char *key;
	size_t key_len;
	size_t offset;
	enum field_kind kind;
	bool required;
	uint8_t size;
	size_t text_offset; /* FIELD_NAME: where the name itself goes too; 0: nowhere */
	int64_t min;
	uint64_t max;
	const struct spec_name *names;
	const struct field_table *table;
	field_read_fn read;
};

struct field_table {
	const struct field *fields;
	size_t n;
	size_t size; /* of the struct */
	bool has;    /* the struct begins with `bool has`, set when the object is there */
	bool closed; /* a key without a row is an error: it names a thing, as in timeOffsets */
	/* What is left to do when all keys are read, or NULL. */
	int (*finish)(const struct reader *r, const struct json *object, void *base);
};

/* ---- rows --------------------------------------------------------------------------------- */

#define KEY(name)           .key = name, .key_len = sizeof(name) - 1
#define AT(type, member)    .offset = offsetof(type, member)
#define SIZED(type, member) AT(type, member), .size = sizeof(((type *)NULL)->member)

/* size_t n_x and a pointer x that follows it, or a struct of the two. */
#define LIST_AT(type, n_member, member)                                                            \
	AT(type, n_member) +                                                                       \
	    0 * sizeof(char[offsetof(type, member) == offsetof(type, n_member) + sizeof(size_t)    \
				? 1                                                                \
				: -1])

#define IS_IGNORED                  .kind = FIELD_IGNORED
#define IS_BOOL(t, m)               .kind = FIELD_BOOL, AT(t, m)
#define IS_OPT_BOOL(t, m)           .kind = FIELD_OPT_BOOL, AT(t, m)
#define IS_NUMBER(t, m, lo, hi)     .kind = FIELD_NUMBER, SIZED(t, m), .min = lo, .max = hi
#define IS_OPT_NUMBER(t, m, lo, hi) .kind = FIELD_OPT_NUMBER, AT(t, m), .min = lo, .max = hi
#define IS_STRING(t, m)             .kind = FIELD_STRING, AT(t, m)
#define IS_STRINGS(t, m)            .kind = FIELD_STRINGS, AT(t, m)
#define IS_PAIRS(t, m)              .kind = FIELD_PAIRS, AT(t, m)
#define IS_NUMBERS(t, n_m, m, hi)   .kind = FIELD_NUMBERS, LIST_AT(t, n_m, m), .max = hi
#define IS_NAME(t, m, table_)       .kind = FIELD_NAME, SIZED(t, m), .names = table_
#define IS_FLAGS(t, m, table_)      .kind = FIELD_FLAGS, SIZED(t, m), .names = table_
#define IS_CAPABILITIES(t, m)       .kind = FIELD_CAPABILITIES, AT(t, m)
#define IS_OBJECT(t, m, table_)     .kind = FIELD_OBJECT, AT(t, m), .table = &(table_)
#define IS_LIST(t, n_m, m, table_)  .kind = FIELD_LIST, LIST_AT(t, n_m, m), .table = &(table_)
#define IS_MAP(t, n_m, m, table_)   .kind = FIELD_MAP, LIST_AT(t, n_m, m), .table = &(table_)
#define IS_CUSTOM(read_)            .kind = FIELD_CUSTOM, .read = read_

/* Keys grouped in the file but not in the struct. */
#define IS_GROUP(table_) .kind = FIELD_OBJECT, .table = &(table_)

#define REQUIRED .required = true

#define TABLE(rows, type)                                                                          \
	.fields = rows, .n = sizeof(rows) / sizeof((rows)[0]), .size = sizeof(type)

/* ---- tables that several files use -------------------------------------------------------- */

extern const struct field_table process_table;    /* struct spec_process */
extern const struct field_table linux_table;      /* struct spec_linux */
extern const struct field_table resources_table;  /* struct spec_resources */
extern const struct field_table seccomp_table;    /* struct spec_seccomp */
extern const struct field_table id_mapping_table; /* struct spec_id_mapping */

/* ---- reading ------------------------------------------------------------------------------ */

/* An object into the zeroed struct at `base`. */
int field_read_object(const struct reader *r, const struct field_table *table,
		      const struct json *object, void *base);

/* An array of objects (FIELD_LIST) or an object of objects (FIELD_MAP). */
int field_read_list(const struct reader *r, const struct field *field, const struct json *value,
		    void *to);

/* ---- messages: each returns -EINVAL and begins with file, line, column and path ----------------
 */

/* "PATH.key: is missing, expected ..." */
int field_missing(const struct reader *r, const struct json *object, const struct field *field);

/* "PATH: VALUE is a string, expected WHAT": the wrong type. */
int field_wrong(const struct reader *r, const struct json *value, const char *expected);

/* "PATH: VALUE WHY, expected WHAT": the right type. */
int field_not_allowed(const struct reader *r, const struct json *value, const char *why,
		      const char *expected);

/* "PATH.KEY: the key is unknown, expected one of ..." */
int field_unknown(const struct reader *r, const struct field_table *table, const struct json *key);

/* Tells the caller of a key, or a value if that is what is unknown, that is skipped. */
void field_report(const struct reader *r, const struct json *at, const char *value,
		  const char *why);

/* What would fit, in words. */
const char *field_expect_kind(enum field_kind kind);
void field_expect_number(const struct field *field, char *text, size_t size);
void field_expect_name(const struct spec_name *names, char *text, size_t size);
void field_expect(const struct field *field, char *text, size_t size);
