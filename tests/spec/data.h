/*
 * data.h - what the tests of spec/ share: the files of tests/data and reading them.
 */
#pragma once

#include <stddef.h>

#include "spec/read.h"

/* The text of tests/data/NAME, NUL-terminated; the caller frees it. */
char *data_read(const char *name, size_t *ret_len);

/* A whole config.json called "config.json". */
int data_read_spec(const char *text, size_t len, struct arena *arena, struct spec *ret,
		   struct err *err);
