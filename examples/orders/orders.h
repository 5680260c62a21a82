/* SPDX-License-Identifier: BSD-2-Clause */
/* What the application offers, as programs declare it. */
#ifndef ORDERS_H
#define ORDERS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct account {
	int id, users;
	unsigned int limit;
} __attribute__((preserve_access_index));

struct order {
	int id, account;
	unsigned int amount;
} __attribute__((preserve_access_index));

extern struct account *account_get(int id) __ksym;
extern void account_put(struct account *account) __ksym;

#endif
