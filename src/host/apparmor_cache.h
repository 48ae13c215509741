/*
 * apparmor_cache.h - the compiled form of our own profile, on disk.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* A number that changes with the profile's text, the kernel's features and the parser. */
uint64_t apparmor_cache_key(const char *profile, const char *parser);

/* 0, or a negative errno: there is none, or it cannot be trusted. */
int apparmor_cache_read(uint64_t key, struct buf *ret);

/* Replaces what an older profile or kernel left there. Without a place for it there is no cache. */
void apparmor_cache_write(uint64_t key, const struct buf *compiled);

void apparmor_cache_forget(uint64_t key);
