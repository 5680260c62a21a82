/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tc: what XDP passed on goes through the programs at the port's ingress to what is behind the
 * port, what leaves a port by tc's doing through those at its egress. Frames that XDP sends or
 * redirects never come here, as in Linux.
 */
#ifndef SKEP_NET_TC_H
#define SKEP_NET_TC_H

#include "net/xdp.h"

/* A redirect of a redirected packet, and so on: Linux's limit of transmissions within another.
 */
#define TC_HOPS_MAX 8

/* Whether anything happens here to packets that XDP passed on. */
static inline bool tc_is_there(const struct port *port)
{
	return hook_chain(&port->tcx[TC_INGRESS]) || hook_chain(&port->filters[TC_INGRESS]) ||
	       atomic_load_explicit(&port->pass_to, memory_order_relaxed);
}

static inline bool tc_has_egress(const struct port *port)
{
	return hook_chain(&port->tcx[TC_EGRESS]) || hook_chain(&port->filters[TC_EGRESS]);
}

/* XDP passed the frame on. */
void tc_receive(const struct xdp_path *path, struct port *port, struct frame *frame,
		struct run_context *run);

/* The frame, which came in by `from`, leaves by `to`, through the programs there. */
void tc_leave(const struct xdp_path *path, struct port *from, struct port *to,
	      struct frame *frame, struct run_context *run);

/* A copy of the packet leaves the port or (`is_received`) comes in there, at once: 0, 1 when a
 * program dropped it, or a negative errno. */
int tc_transmit(const struct xdp_path *path, struct port *port, const struct skb_ctx *skb,
		bool is_received);

#endif
