/*
 * num.h - numbers from text: the whole string, in range, or an error. No sign where none belongs,
 * no spaces, no octal surprises (a leading 0 is decimal; "0x" is hexadecimal only where asked for).
 */
#pragma once

#include <stdint.h>

/* 0, -EINVAL (not a number) or -ERANGE; *ret is untouched on failure. */
int num_u64(const char *s, uint64_t max, uint64_t *ret);
int num_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
int num_octal(const char *s, uint32_t max, uint32_t *ret);

/* The first two numbers of a kernel version: "4.8", "4.8.0" and "6.1.0-18-amd64". */
int num_kernel(const char *s, uint32_t *ret_major, uint32_t *ret_minor);
