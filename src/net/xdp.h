/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP on a batch of frames: run the port's programs, carry out their verdict. */
#ifndef SKEP_NET_XDP_H
#define SKEP_NET_XDP_H

#include "net/net.h"
#include "net/outbox.h"
#include "net/port.h"

/* Finds the port of an ifindex, NULL when none. */
typedef struct port *port_finder(void *cookie, u32 ifindex);

struct cpu;
struct forwarder;
struct forward_cache;

struct xdp_path {
	const struct run_env *env;
	port_finder *find;
	void *cookie;
	struct outbox *outbox;	     /* the worker's; NULL: frames leave at once */
	struct runner *runner;	     /* the worker's */
	struct cpu *cpu;	     /* the worker's; NULL: there are no others */
	struct forwarder *forwarder; /* of what passes (net/forward.h); NULL: nobody forwards */
	struct forward_cache *cache; /* the worker's; NULL: none */
};

/* Hands the frame to the port; with an outbox it must stay as it is until the flush. */
void xdp_send(const struct xdp_path *path, struct port *port, struct frame *frame);
/* The same for what XDP passes on: through the port's tc programs to what is behind it. */
void xdp_pass(const struct xdp_path *path, struct port *port, struct frame *frame,
	      struct run_context *run);

/*
 * Runs the programs at the port on each frame of its queue (no program: all pass) and sends
 * each frame where the verdict says. At most FRAME_BATCH, inside one read-side section; the
 * frames may be reused afterwards.
 */
void xdp_receive(const struct xdp_path *path, struct port_queue *queue, struct frame *frames,
		 int count);

/* Carries out `action`, with which a program left the frame of `ctx` that `port` received. */
void xdp_deliver(const struct xdp_path *path, struct port *port, const struct xdp_ctx *ctx,
		 u32 action, struct run_context *run);

/* A program's context for the frame, without queue, and the frame as the program left it. What
 * does not fit the first page is in fragments for programs that know of them. */
void xdp_ctx_from_frame(struct xdp_ctx *ctx, const struct frame *frame, const struct port *port,
			bool has_frags);
void xdp_frame_from_ctx(struct frame *frame, const struct xdp_ctx *ctx);

#endif
