/*
 * seed.h - a tiny mount namespace to start from.
 *
 * A new mount namespace begins as a copy of the one that its maker is in: with 3000 mounts on the
 * host that takes 5 ms. The kernel's thread kdevtmpfs has had one of its own since boot, with one
 * or two mounts, and init copies that instead.
 */
#pragma once

/*
 * A descriptor of that namespace, or -1. Where the thread is, is remembered until the next boot, in
 * /run/containr/.kdevtmpfs, since finding it means reading through /proc.
 */
int seed_open(void);
