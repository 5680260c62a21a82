/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that the suites' programs call, and the packet that classic programs see. */
#ifndef SKEP_TESTS_PLUGIN_HELPERS_H
#define SKEP_TESTS_PLUGIN_HELPERS_H

#include "catalog/ctx.h"
#include "helper/run_context.h"

struct plugin_run {
	struct run_context context; /* first: what helpers get */
	u8 *memory, *stack;
	size_t size, stack_size;
	struct skb_ctx skb; /* of classic programs */
};

/* Makes the memory the packet of run->skb, with the metadata of Linux's lib/test_bpf.c. */
void plugin_run_packet(struct plugin_run *run);

helper_fn *plugin_helper(u32 id);
helper_fn *classic_helper(u32 id);

#endif
