/*
 * buf.h - text that grows. A failed allocation is remembered and makes the text end there; callers
 * check `failed` once. Zero-initialise; buf_done() frees.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NUL-terminated once anything was added, else NULL */
	size_t len, size;
	bool failed;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
void buf_json_str(struct buf *b, const char *s);

/* Reads fd to its end, at most `max` bytes (-EFBIG beyond): 0 or a negative errno. */
int buf_read_fd(struct buf *b, int fd, size_t max);

const char *buf_text(const struct buf *b); /* never NULL */
void buf_done(struct buf *b);

/* A file in memory with what is in the buffer, to be read from its begin: a descriptor, or a
 * negative errno. */
int buf_file(const struct buf *b, const char *name);

#define _cleanup_buf_ __attribute__((cleanup(buf_done)))
