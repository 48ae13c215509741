#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"

static bool reserve(struct buf *b, size_t more)
{
	size_t need, size = b->size ? b->size : 256;
	char *data;

	if (b->failed || __builtin_add_overflow(b->len, more, &need) || need > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	while (size < need + 1)
		size *= 2;
	if (size == b->size)
		return true;
	data = realloc(b->data, size);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0 || !reserve(b, (size_t)len)) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)len;
}

void buf_json_str(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (!s) {
		buf_str(b, "null");
		return;
	}
	buf_str(b, "\"");
	while (*p) {
		size_t len = utf8_len(p, strnlen((const char *)p, 4));

		if (*p == '"' || *p == '\\')
			buf_printf(b, "\\%c", *p);
		else if (*p == '\n')
			buf_str(b, "\\n");
		else if (*p == '\t')
			buf_str(b, "\\t");
		else if (*p < 0x20 || *p == 0x7f)
			buf_printf(b, "\\u%04x", *p);
		else if (len > 0)
			buf_add(b, p, len);
		else
			buf_str(b, "\xef\xbf\xbd");
		p += len > 0 ? len : 1;
	}
	buf_str(b, "\"");
}

/* What a regular file has now; 0: not known, as for those of procfs, which give what they like. */
static size_t size_of(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size >= max)
		return 0;
	return (size_t)st.st_size;
}

int buf_file(const struct buf *b, const char *name)
{
	_cleanup_close_ int fd = b->failed ? -1 : memfd_create(name, MFD_CLOEXEC);

	if (b->failed)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	return pwrite(fd, b->data, b->len, 0) == (ssize_t)b->len ? take_fd(&fd) : -ENOMEM;
}

int buf_read_fd(struct buf *b, int fd, size_t max)
{
	size_t start = b->len, size = size_of(fd, max);
	/* One byte more, so that a file's end is seen by what is not there. */
	size_t room = size > 0 ? size + 1 : 4096;

	for (;;) {
		ssize_t n;

		if (!reserve(b, room))
			return -ENOMEM;
		room = 1;
		n = read(fd, b->data + b->len, b->size - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (b->len > max)
			return -EFBIG;
		if (n == 0 || (size > 0 && b->len - start == size))
			return 0;
	}
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}
