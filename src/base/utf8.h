/*
 * utf8.h - where text from outside may be called text: RFC 3629, no overlong form, no surrogate.
 */
#pragma once

#include <stddef.h>

/* The length of the UTF-8 sequence at s, of which `left` bytes may be read, or 0 if it is none. */
static inline size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t len = left == 0                      ? 0
		     : s[0] < 0x80                  ? 1
		     : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		     : (s[0] & 0xf0) == 0xe0        ? 3
		     : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						    : 0;

	if (len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (len < 3)
		return len;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}
