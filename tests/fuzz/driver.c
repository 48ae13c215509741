/*
 * driver.c - runs a fuzz target over files, so that its corpus is an ordinary test under the
 * ordinary compiler. Arguments are files and folders.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	size_t size;

	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		return 1;
	}
	size = (size_t)st.st_size; /* of a regular file: not negative */
	data = malloc(size + 1);
	if (!data || fread(data, 1, size, file) != size) {
		perror(path);
		return 1;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	(void)fclose(file);
	return 0;
}

static int run_folder(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), failed = n < 0;

	if (failed)
		perror(path);
	for (int i = 0; i < n; i++) {
		char below[4096];

		(void)snprintf(below, sizeof(below), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_type == DT_REG)
			failed |= run_file(below);
		else if (entries[i]->d_type == DT_DIR && entries[i]->d_name[0] != '.')
			failed |= run_folder(below);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			failed |= run_folder(argv[i]);
		else
			failed |= run_file(argv[i]);
	}
	return failed;
}
