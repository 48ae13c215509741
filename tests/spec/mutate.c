#include "mutate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data.h"

/* One step of a path: an index, or a key copied to `key`. */
struct step {
	bool is_index;
	size_t index;
	char key[128];
};

static struct step next_step(const char **path)
{
	struct step step = { 0 };
	const char *end;

	if (**path == '.')
		(*path)++;
	if (strncmp(*path, "[\"", 2) == 0) {
		end = strstr(*path, "\"]");
		assert_non_null(end);
		(void)snprintf(step.key, sizeof(step.key), "%.*s", (int)(end - *path - 2),
			       *path + 2);
		*path = end + 2;
	} else if (**path == '[') {
		char *after;

		step.is_index = true;
		step.index = strtoul(*path + 1, &after, 10);
		*path = after + 1;
	} else {
		end = *path + strcspn(*path, ".[");
		(void)snprintf(step.key, sizeof(step.key), "%.*s", (int)(end - *path), *path);
		*path = end;
	}
	return step;
}

static void set_here(json_t *parent, const struct step *step, const char *value)
{
	json_error_t error;
	json_t *json = value ? json_loads(value, JSON_DECODE_ANY, &error) : NULL;

	if (value && !json)
		fail_msg("%s: %s", value, error.text);
	if (!value && step->is_index)
		assert_int_equal(json_array_remove(parent, step->index), 0);
	else if (!value)
		assert_int_equal(json_object_del(parent, step->key), 0);
	else if (step->is_index && step->index == json_array_size(parent))
		assert_int_equal(json_array_append_new(parent, json), 0);
	else if (step->is_index)
		assert_int_equal(json_array_set_new(parent, step->index, json), 0);
	else
		assert_int_equal(json_object_set_new(parent, step->key, json), 0);
}

void mutate_set(json_t *root, const char *path, const char *value)
{
	const char *rest = path;
	struct step step = next_step(&rest);

	while (*rest) {
		root = step.is_index ? json_array_get(root, step.index)
				     : json_object_get(root, step.key);
		if (!root)
			fail_msg("%s leads nowhere", path);
		step = next_step(&rest);
	}
	set_here(root, &step, value);
}

void mutate_expect(const json_t *root, const char *expected)
{
	struct arena arena = { 0 };
	struct spec spec;
	struct err err = { 0 };
	char *text = json_dumps(root, JSON_INDENT(1));
	int r = data_read_spec(text, strlen(text), &arena, &spec, &err);

	if (r == 0)
		fail_msg("accepted, expected \"%s\"", expected);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	if (strncmp(err.msg, "config.json:", 12) != 0 || !strstr(err.msg, expected))
		fail_msg("got \"%s\", expected \"%s\"", err.msg, expected);
	arena_done(&arena);
	free(text);
}
