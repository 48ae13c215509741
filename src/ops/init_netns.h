/*
 * init_netns.h - the network namespace that a process of its own makes while host and init have
 * other things to do: see host_netns.c.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "ops/ops.h"

#define NET_STACK (16 * 1024)

/* Values of net_maker.word; a failure is stored as the negative errno. */
enum {
	NET_GONE, /* the kernel's: the process has ended */
	NET_AT_WORK,
	NET_READY, /* it can be joined */
	NET_UP,    /* and the loopback device is up */
};

struct net_maker {
	uint32_t word; /* shared futex */
	pid_t pid, host;
	int view; /* descriptor that is the host's alone (SLOT_VIEW), or -1 */
};

/* The main function of the process; the argument is a struct net_maker. */
void init_make_netns(void *arg);

/* Waits until the word is at least `state`: 0 or a negative errno. */
int init_await_netns(struct net_maker *maker, uint32_t state);

int init_join_netns(const struct step *s, struct op_ctx *ctx);
int init_loopback(const struct step *s, struct op_ctx *ctx);
