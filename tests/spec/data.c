#include "data.h"

#include <stdio.h>
#include <stdlib.h>

char *data_read(const char *name, size_t *ret_len)
{
	char path[512], *text = malloc(1 << 20);
	FILE *file;

	(void)snprintf(path, sizeof(path), TEST_DATA "/%s", name);
	file = fopen(path, "re");
	if (!file || !text) {
		perror(path);
		abort();
	}
	*ret_len = fread(text, 1, (1 << 20) - 1, file);
	text[*ret_len] = '\0';
	(void)fclose(file);
	return text;
}

int data_read_spec(const char *text, size_t len, struct arena *arena, struct spec *ret,
		   struct err *err)
{
	const struct spec_source source = { .name = "config.json", .text = text, .len = len };

	return spec_read(&source, arena, ret, err);
}
