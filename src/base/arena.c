#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One block does for a docker-like config and its plan. It is large enough to come straight from
 * mmap(): only the pages that are used cost anything, while calloc() of musl reads the whole of a
 * smaller block to see whether it is zero, which makes each page fault twice.
 */
#define BLOCK_SIZE (256 * 1024 - 64)

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	max_align_t data[];
};

static struct arena_block *block_new(struct arena *a, size_t size)
{
	struct arena_block *block =
	    size > SIZE_MAX - sizeof(*block) ? NULL : calloc(1, sizeof(*block) + size);

	if (!block) {
		a->failed = true;
		return NULL;
	}
	block->size = size;
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = sizeof(max_align_t) - 1;
	struct arena_block *block = a->blocks;
	char *start;

	if (size > SIZE_MAX - align) {
		a->failed = true;
		return NULL;
	}
	size = (size + align) & ~align;
	if (!block || block->size - block->used < size) {
		block = block_new(a, size > BLOCK_SIZE ? size : BLOCK_SIZE);
		if (!block)
			return NULL;
		block->next = a->blocks;
		a->blocks = block;
	}
	start = (char *)block->data + block->used;
	block->used += size;
	return start;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		a->failed = true;
		return NULL;
	}
	return arena_alloc(a, bytes);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
	void *copy = arena_alloc(a, size);

	if (copy && size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : arena_alloc(a, len + 1);

	if (copy && len > 0)
		memcpy(copy, s, len);
	return copy;
}

const char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);

	text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
	if (!text) {
		a->failed = true;
		return "";
	}

	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

void arena_take(struct arena *to, struct arena *from)
{
	struct arena_block **end = &to->blocks;

	while (*end)
		end = &(*end)->next;
	*end = from->blocks;
	to->failed |= from->failed;
	*from = (struct arena){ 0 };
}

void arena_done(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	a->failed = false;
}
