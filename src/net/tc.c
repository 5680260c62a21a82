/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tc.h"
#include "hook/hook_run.h"
#include "map/route.h"
#include "net/forward.h"
#include "net/neighbour.h"
#include "net/packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

/* Memory of a copy beside its bytes. */
#define COPY_TAILROOM 512
#define DROPPED	      1 /* Linux: NET_XMIT_DROP */

/* The way of one packet. */
struct way {
	const struct xdp_path *path;
	struct run_context *run;
	struct port *from; /* counts what fails */
	struct packet packet;
	bool is_dropped;
};

static const u8 *own_mac(const struct xdp_path *path, const struct port *port)
{
	static const u8 none[ETH_ALEN];
	const struct route_device *device =
		path->env->routes ? routes_device(path->env->routes, port->ifindex) : NULL;

	return device && memcmp(device->mac, none, ETH_ALEN) ? device->mac : NULL;
}

static u32 queue_of(const struct way *way)
{
	return way->path->outbox ? way->path->outbox->queue : 0;
}

/* --- verdicts --- */

/* Whether the programs of tcx say what becomes of the packet. */
static bool is_last_word(s32 result)
{
	return result == TC_ACT_OK || result == TC_ACT_SHOT || result == TC_ACT_REDIRECT;
}

static enum skep_tc_verdict verdict_of(s32 result)
{
	switch (result) {
	case TC_ACT_SHOT: return SKEP_TC_DROP;
	case TC_ACT_STOLEN:
	case TC_ACT_TRAP: return SKEP_TC_STOLEN;
	case TC_ACT_REDIRECT: return SKEP_TC_REDIRECT;
	default: return SKEP_TC_PASS;
	}
}

/* The verdict of the port's programs, first those of tcx, then the filters. */
static enum skep_tc_verdict run_programs(struct way *way, struct port *port,
					 enum tc_direction direction)
{
	struct skb_ctx *skb = &way->packet.skb;
	const u32 queue = queue_of(way), bytes = skb->len;
	enum skep_tc_verdict verdict;
	s32 result = TC_ACT_UNSPEC;
	bool ran;

	way->run->redirect.kind = REDIRECT_NONE;
	ran = hook_run_one(&port->tcx[direction], queue, skb, way->run, bytes, &result);
	if (!ran || !is_last_word(result)) {
		result = TC_ACT_UNSPEC;
		ran |= hook_run_one(&port->filters[direction], queue, skb, way->run, bytes,
				    &result);
	}
	verdict = verdict_of(result);
	if (ran)
		atomic_fetch_add_explicit(&port->tc[direction][verdict], 1,
					  memory_order_relaxed);
	return verdict;
}

/* --- where packets go --- */

static void egress(struct way *way, struct port *port);
static void redirect(struct way *way);

static void send_frame(struct way *way, struct port *port)
{
	if (packet_to_frame(&way->packet))
		xdp_send(way->path, port, way->packet.frame);
	else
		port_exception(way->from, SKEP_EXCEPTION_TOO_SHORT);
}

static void forward(struct way *way, struct port *port)
{
	const u32 mark = way->packet.skb.mark;

	if (packet_to_frame(&way->packet))
		forward_frame(way->path, port, way->packet.frame, mark, way->run);
	else
		port_exception(way->from, SKEP_EXCEPTION_TOO_SHORT);
}

/* To what is behind the port: another port, or the capture that it keeps. */
static void deliver(struct way *way, struct port *port)
{
	const u32 next = atomic_load_explicit(&port->pass_to, memory_order_relaxed);
	struct port *to = next ? way->path->find(way->path->cookie, next) : NULL;

	if (next && !to) {
		port_exception(way->from, SKEP_EXCEPTION_NO_PORT);
		way->is_dropped = true;
	} else if (to) {
		packet_leave(&way->packet, to);
		egress(way, to);
	} else if (way->path->forwarder) {
		forward(way, port);
	} else if (port->ops->abilities & PORT_KEEPS_PASSED) {
		send_frame(way, port);
	}
}

static void ingress(struct way *way, struct port *port)
{
	switch (run_programs(way, port, TC_INGRESS)) {
	case SKEP_TC_PASS: deliver(way, port); break;
	case SKEP_TC_REDIRECT: redirect(way); break;
	case SKEP_TC_DROP: way->is_dropped = true; break;
	case SKEP_TC_STOLEN:
	case SKEP_TC_VERDICTS: break;
	}
}

static void egress(struct way *way, struct port *port)
{
	switch (run_programs(way, port, TC_EGRESS)) {
	case SKEP_TC_PASS: send_frame(way, port); break;
	case SKEP_TC_REDIRECT: redirect(way); break;
	case SKEP_TC_DROP: way->is_dropped = true; break;
	case SKEP_TC_STOLEN:
	case SKEP_TC_VERDICTS: break;
	}
}

static void fails(struct way *way, enum skep_exception why)
{
	port_exception(way->from, why);
	way->is_dropped = true;
}

static void redirect(struct way *way)
{
	const struct redirect to = way->run->redirect;
	struct port *port = to.kind == REDIRECT_IFINDEX
				    ? way->path->find(way->path->cookie, to.ifindex)
				    : NULL;

	if (to.kind != REDIRECT_IFINDEX)
		return fails(way, SKEP_EXCEPTION_NO_TARGET);
	if (!port)
		return fails(way, SKEP_EXCEPTION_NO_PORT);
	if (++way->packet.hops > TC_HOPS_MAX)
		return fails(way, SKEP_EXCEPTION_LOOP);
	if (to.flags & REDIRECT_TO_PEER)
		return fails(way, SKEP_EXCEPTION_NO_PEER);
	if (way->packet.skb.len < ETH_HLEN)
		return fails(way, SKEP_EXCEPTION_TOO_SHORT);
	if (to.flags & REDIRECT_TO_NEIGHBOUR &&
	    !neighbour_address(way->path->env->routes, port->ifindex, &to, &way->packet.skb))
		return fails(way, SKEP_EXCEPTION_NO_NEIGHBOUR);
	if (to.flags & BPF_F_INGRESS) {
		packet_enter(&way->packet, port, own_mac(way->path, port));
		ingress(way, port);
	} else {
		packet_leave(&way->packet, port);
		egress(way, port);
	}
}

void tc_receive(const struct xdp_path *path, struct port *port, struct frame *frame,
		struct run_context *run)
{
	struct way way = {.path = path, .run = run, .from = port};

	if (packet_from_frame(&way.packet, frame, port, queue_of(&way), own_mac(path, port)))
		ingress(&way, port);
	else
		port_exception(port, SKEP_EXCEPTION_TOO_SHORT);
}

void tc_leave(const struct xdp_path *path, struct port *from, struct port *to,
	      struct frame *frame, struct run_context *run)
{
	struct way way = {.path = path, .run = run, .from = from};

	if (!packet_from_frame(&way.packet, frame, from, queue_of(&way), NULL))
		return port_exception(from, SKEP_EXCEPTION_TOO_SHORT);
	packet_leave(&way.packet, to);
	egress(&way, to);
}

/* --- copies, which a running program sends --- */

/* How deep the calling thread is in programs that send copies through programs. */
static _Thread_local u32 depth;

static int send_copy(struct way *way, const struct skb_ctx *original, bool is_received)
{
	struct run_context run;

	packet_like(&way->packet, original);
	way->run = &run;
	run_begin(&run, way->path->env);
	if (is_received) {
		packet_enter(&way->packet, way->from, own_mac(way->path, way->from));
		ingress(way, way->from);
	} else {
		packet_leave(&way->packet, way->from);
		egress(way, way->from);
	}
	run_end(&run);
	return way->is_dropped ? DROPPED : 0;
}

static const u8 *first_byte(const struct skb_ctx *skb)
{
	return skb->mac_header ? min(skb->mac_header, skb->data) : skb->data;
}

static int send_at_once(struct port *port, const struct skb_ctx *skb)
{
	u8 *data = (u8 *)first_byte(skb);
	const u32 length = skb->data_end - data;
	struct frame frame = {.data = data, .length = length, .original_length = length};
	struct frame *const frames[] = {&frame};

	return port_send(port, 0, frames, 1) ? 0 : -EIO;
}

int tc_transmit(const struct xdp_path *path, struct port *port, const struct skb_ctx *skb,
		bool is_received)
{
	const u8 *data = first_byte(skb);
	struct way way = {.path = path, .from = port};
	struct frame frame;
	int ret = -ENETDOWN;

	if (!is_received && !tc_has_egress(port) && !skb->vlan_present)
		return send_at_once(port, skb);
	if (!frame_copy(&frame, data, skb->data_end - data, COPY_TAILROOM))
		return -ENOMEM;
	way.packet.frame = &frame;
	if (frame.length < ETH_HLEN)
		ret = -ERANGE;
	else if (depth < TC_HOPS_MAX) {
		depth++;
		ret = send_copy(&way, skb, is_received);
		depth--;
	}
	free(frame.memory);
	return ret;
}
