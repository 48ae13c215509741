/*
 * fuzz_spec.c - arbitrary bytes as config.json, a process, resources and a seccomp profile.
 *
 * Whatever comes in, the reader returns 0 or -EINVAL with a message of the right form, reads
 * nothing outside the text, and tells the same twice. The first byte chooses the way in.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "spec/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Every value has a place, a path that leads back to it, and something to show. */
static void visit(const struct json_doc *doc)
{
	size_t step =
	    doc->n / 50 + 1; /* a path is found from the root: not for all of many values */

	for (size_t i = 0; i < doc->n; i += step) {
		const struct json *value = &doc->values[i];
		struct json_place place = json_place(doc, value);
		char path[JSON_PATH_SIZE], shown[JSON_SHOWN_SIZE];

		json_path(doc, value, path);
		json_show(value, shown);
		require(place.line > 0 && place.column > 0);
		require(strlen(path) < sizeof(path) && strlen(shown) < sizeof(shown));
		(void)json_locate(doc, path);
	}
}

static void note(void *data, const char *path, const char *why, unsigned int line,
		 unsigned int column)
{
	*(size_t *)data += strlen(path) + strlen(why) + line + column;
}

static int read_as(uint8_t kind, const struct spec_source *source, struct arena *arena,
		   struct err *err)
{
	union {
		struct spec spec;
		struct spec_process process;
		struct spec_resources resources;
		struct spec_seccomp seccomp;
	} result;

	switch (kind % 4) {
	case 0:
		return spec_read_process(source, arena, &result.process, err);
	case 1:
		return spec_read_resources(source, arena, &result.resources, err);
	case 2:
		return spec_read_seccomp(source, arena, &result.seccomp, err);
	default: /* '{', so that plain files work as a corpus */
		return spec_read(source, arena, &result.spec, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t kind = size > 0 ? *data : '{';
	size_t skip = kind == '{' || size == 0 ? 0 : 1, len = size - skip, notes = 0;
	char *text = malloc(len > 0 ? len : 1); /* exact, so that a byte beyond is seen */
	struct spec_source source = { "f", text, len, note, &notes };
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct json_doc doc;
	int r;

	require(text != NULL);
	if (len > 0)
		memcpy(text, data + skip, len);
	r = json_parse(&doc, "f", text, len, &arena, &err);
	require(r == 0 || (r == -EINVAL && strncmp(err.msg, "f:", 2) == 0));
	if (r == 0)
		visit(&doc);
	r = read_as(kind, &source, &arena, &err);
	require(r == 0 || (r == -EINVAL && strncmp(err.msg, "f:", 2) == 0));
	arena_done(&arena);
	free(text);
	return 0;
}
