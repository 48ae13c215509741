#include "base/num.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int digits(const char *s, unsigned int base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)(*s - '0');

		if (*s < '0' || digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value) || value > max)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int num_u64(const char *s, uint64_t max, uint64_t *ret)
{
	return digits(s, 10, max, ret);
}

int num_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, value;
	int64_t number;
	int r;

	r = digits(negative ? s + 1 : s, 10, limit, &value);
	if (r < 0)
		return r;
	number = negative ? (int64_t)(0 - value) : (int64_t)value;
	if (number < min || number > max)
		return -ERANGE;
	*ret = number;
	return 0;
}

int num_octal(const char *s, uint32_t max, uint32_t *ret)
{
	uint64_t value;
	int r = digits(s, 8, max, &value);

	if (r == 0)
		*ret = (uint32_t)value;
	return r;
}

/* The number that begins at s and is `len` characters long. */
static int part(const char *s, size_t len, uint32_t *ret)
{
	char text[8]; /* longer is no version */
	uint64_t value;
	int r;

	if (len >= sizeof(text))
		return -ERANGE;
	memcpy(text, s, len);
	text[len] = '\0';
	r = num_u64(text, UINT32_MAX, &value);
	if (r == 0)
		*ret = (uint32_t)value;
	return r;
}

int num_kernel(const char *s, uint32_t *ret_major, uint32_t *ret_minor)
{
	size_t len = strcspn(s, ".");
	uint32_t major = 0, minor = 0;
	int r = part(s, len, &major);

	if (r < 0)
		return r;
	if (s[len] == '\0')
		return -EINVAL;
	r = part(s + len + 1, strcspn(s + len + 1, ".-"), &minor);
	if (r < 0)
		return r;
	*ret_major = major;
	*ret_minor = minor;
	return 0;
}
