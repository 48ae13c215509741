/*
 * check.h - how a process that a test has made tells what is wrong.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Ends the case with a message: cmocka's assertions do not work across fork. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition,     \
				strerror(errno));                                                  \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
