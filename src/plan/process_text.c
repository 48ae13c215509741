#include "plan/process_text.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* ---- lists of CPUs and memory nodes -----------------------------------------------------------
 */

/* Kernels are built for 8192 CPUs and 1024 nodes at most; the bound is for bad input. */
#define MAX_CPU  32767
#define MAX_NODE 1023

#define WORD_BITS (CHAR_BIT * sizeof(unsigned long))

/* Reads digits up to the first other character. */
static bool read_number(const char **text, size_t max, size_t *ret)
{
	const char *p = *text;
	size_t value = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (size_t)(*p - '0');
		if (value > max)
			return false;
	}
	*text = p;
	*ret = value;
	return true;
}

/* "3" or "0-3", and the spaces around it. */
static bool read_range(const char **text, size_t max, size_t *first, size_t *last)
{
	const char *p = *text + strspn(*text, " ");

	if (!read_number(&p, max, first))
		return false;
	*last = *first;
	if (*p == '-') {
		p++;
		if (!read_number(&p, max, last) || *last < *first)
			return false;
	}
	p += strspn(p, " ");
	if (*p != '\0' && *p != ',')
		return false;
	*text = p;
	return true;
}

/* The bits of a list in words, and the highest one. */
static int list_parse(const char *list, size_t max, struct arena *arena, unsigned long **ret,
		      size_t *ret_last)
{
	size_t words = max / WORD_BITS + 1, first, last, highest = 0;
	unsigned long *mask = arena_array(arena, words, sizeof(*mask));
	bool any = false;

	if (!mask)
		return -ENOMEM;
	for (const char *p = list; *p;) {
		if (*p == ',' || *p == ' ') {
			p++;
			continue;
		}
		if (!read_range(&p, max, &first, &last))
			return -EINVAL;
		for (size_t i = first; i <= last; i++)
			mask[i / WORD_BITS] |= 1UL << (i % WORD_BITS);
		highest = last > highest ? last : highest;
		any = true;
	}
	if (!any)
		return -EINVAL;
	*ret = mask;
	*ret_last = highest;
	return 0;
}

static int refuse(struct err *err, int code, const char *list, const char *what, size_t max)
{
	if (code == -ENOMEM)
		return err_set(err, code, "read the list \"%.100s\"", list);
	return err_say(err, code,
		       "\"%.100s\" is no list of %s, expected one as in \"0-3,7\" with "
		       "numbers up to %zu",
		       list, what, max);
}

int cpu_list_parse(const char *list, struct arena *arena, const uint8_t **ret_mask,
		   size_t *ret_size, struct err *err)
{
	unsigned long *mask;
	size_t last;
	int r = list_parse(list, MAX_CPU, arena, &mask, &last);

	if (r < 0)
		return refuse(err, r, list, "CPUs", MAX_CPU);
	*ret_mask = (const uint8_t *)mask; /* the kernel's CPU masks are words as well */
	*ret_size = (last / WORD_BITS + 1) * sizeof(*mask);
	return 0;
}

int node_list_parse(const char *list, struct arena *arena, const unsigned long **ret_nodes,
		    size_t *ret_max_node, struct err *err)
{
	unsigned long *mask;
	size_t last;
	int r;

	if (!list) {
		*ret_nodes = NULL;
		*ret_max_node = 0;
		return 0;
	}
	r = list_parse(list, MAX_NODE, arena, &mask, &last);
	if (r < 0)
		return refuse(err, r, list, "memory nodes", MAX_NODE);
	*ret_nodes = mask;
	*ret_max_node = last + 2;
	return 0;
}

/* ---- where the program may be -----------------------------------------------------------------
 */

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The last one counts, as if the variables had been set one after the other. */
static const char *search_path(const struct spec_strings *env)
{
	for (size_t i = env->n; i-- > 0;)
		if (strncmp(env->v[i], "PATH=", 5) == 0)
			return env->v[i] + 5;
	return DEFAULT_PATH;
}

static size_t count_elements(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == ':';
	return n;
}

const char *const *exec_candidates(struct arena *arena, const char *file,
				   const struct spec_strings *env)
{
	bool is_path = strchr(file, '/') != NULL;
	const char *path = is_path ? "" : search_path(env);
	const char **list = arena_array(arena, count_elements(path) + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return NULL;
	if (is_path)
		list[n++] = file;
	/* An empty name would find each directory itself. */
	while (*path && *file) {
		int len = (int)strcspn(path, ":");

		if (*path == '/')
			list[n++] = arena_printf(arena, "%.*s%s%s", len, path,
						 path[len - 1] == '/' ? "" : "/", file);
		path += len;
		path += *path == ':';
	}
	return list;
}
