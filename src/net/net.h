/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of one engine and the loop that moves packets through them. Public face:
 * include/skep/port.h, whose functions src/sys gives the engine's struct net.
 */
#ifndef SKEP_NET_NET_H
#define SKEP_NET_NET_H

#include "helper/run_context.h"
#include "hook/hook.h"
#include <skep/attach.h>

struct device;
struct net;

struct net *net_new(const struct run_env *env); /* `env` outlives it; NULL: out of memory */
void net_free(struct net *net);			/* closes all ports */

int net_port_open(struct net *net, const char *spec, struct skep_error *err);
int net_port_close(struct net *net, u32 ifindex);
/* What the port offloads to: a reference; NULL: there is no such port, or it runs nothing
 * itself. */
struct device *net_device(struct net *net, u32 ifindex);
int net_port_stats(struct net *net, u32 ifindex, struct skep_port_stats *out);

/* The hook of a port, NULL when there is no such port. Call inside a read-side section, which
 * keeps the port until it ends. */
struct hook *net_hook(struct net *net, u32 ifindex, enum bpf_attach_type attach_type);
/* The same of what skep_attach() attaches to; and all hooks of a port in the order of places,
 * NULL when there are no more. */
struct hook *net_hook_at(struct net *net, u32 ifindex, enum skep_hook_place place);
struct hook *net_hook_nth(struct net *net, u32 ifindex, u32 n, u32 *place);
int net_port_pass_to(struct net *net, u32 ifindex, u32 target);
int net_port_tc(struct net *net, u32 ifindex, u32 direction, uint64_t *packets);
int net_port_exceptions(struct net *net, u32 ifindex, uint64_t *counts, u32 count);

/* Whether it forwards what passes (skep/forward.h): 0, -EBUSY, -ENOMEM. */
int net_forward(struct net *net, bool on);
/* When it forwards: a row of each port for a set that is to be filled. 0 or -ENOMEM. */
struct route_set;
int net_add_devices(struct net *net, struct route_set *set);
int net_forward_counts(struct net *net, u32 ifindex, uint64_t *counts, u32 count);

struct listener;
/* A copy of it listens at the port, and takes over its reference; without a function nobody does.
 * 0, -ENODEV, -EBUSY, -ENOMEM. */
int net_port_listen(struct net *net, u32 ifindex, const struct listener *listener);

/* The ifindex of a port that stands for this interface of the host; 0: none does. */
u32 net_port_of_interface(struct net *net, const char *name);

/* run_env.has_port, .transmit and .xdp_deliver; a frame of no port is dropped. `running`: the
 * path on which the program that asks is run; NULL: it moves no packets. */
bool net_has_port(struct net *net, u32 ifindex);
int net_transmit(struct net *net, const struct xdp_path *running, u32 ifindex,
		 const struct skb_ctx *skb, bool is_received);
void net_xdp_deliver(struct net *net, const struct xdp_ctx *ctx, u32 action,
		     struct run_context *run);

int net_run(struct net *net, const struct skep_ports_run_opts *opts, struct skep_error *err);
void net_stop(struct net *net); /* async-signal-safe */

#endif
