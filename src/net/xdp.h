/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP on a batch of frames: run the port's program, carry out its verdict. */
#ifndef SKEP_NET_XDP_H
#define SKEP_NET_XDP_H

#include "net/net.h"
#include "net/port.h"

/* Finds the port of an ifindex, NULL when none. */
typedef struct port *port_finder(void *cookie, u32 ifindex);

struct xdp_path {
	const struct run_env *env;
	port_finder *find;
	void *cookie;
};

/*
 * Runs the program at port->xdp on each frame (no program: all pass) and sends each frame where
 * the verdict says. Inside one read-side section; the frames may be reused afterwards.
 */
void xdp_receive(const struct xdp_path *path, struct port *port, struct frame *frames,
		 int count);

/* Carries out `action`, with which a program left the frame of `ctx` that `port` received. */
void xdp_deliver(const struct xdp_path *path, struct port *port, const struct xdp_ctx *ctx,
		 u32 action, const struct run_context *run);

#endif
