/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_redirect_neigh(): the link layer's addresses of the next hop. */
#ifndef SKEP_NET_NEIGHBOUR_H
#define SKEP_NET_NEIGHBOUR_H

#include "catalog/ctx.h"
#include "helper/run_context.h"

struct routes;

/*
 * Writes the addresses into the packet's Ethernet header: of the hop that the program named, or
 * of what the engine's routes say about the packet's destination. False: no such neighbour. In
 * a read-side section; `routes` may be NULL.
 */
bool neighbour_address(struct routes *routes, u32 device, const struct redirect *to,
		       struct skb_ctx *skb);

#endif
