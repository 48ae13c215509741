/*
 * err.h - one error, filled where it happens, extended on the way up.
 *
 * The caller owns the storage, so that reporting an error never allocates and never fails.
 * Functions return 0 or a negative errno; with an error, err->msg says what was being tried and
 * err->hint, when there is one, what a person can do about it.
 */
#pragma once

struct err {
	int code; /* negative errno, 0 while unset */
	char msg[1024];
	char hint[512];
};

/* Sets "<what>: <text of the errno>"; returns `code`, a negative errno. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Sets a message that says everything itself; returns `code`, a negative errno. */
int err_say(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<what>: " before the message that is there; returns its code. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says what the reader can do about it; returns the code of the error. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text of a negative errno in the words of Go's syscall package, which engines search for. */
const char *err_text(int code);
