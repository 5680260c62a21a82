/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of routes: they see a packet without its link layer's header. */
#include "net/forward.h"
#include "net/tc.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>

static void skb_of_way(const struct forward_way *way, const struct forward_hop *hop,
		       enum route_lwt place, struct skb_ctx *out)
{
	const struct frame *frame = way->frame;

	*out = (struct skb_ctx){
		.data = way_ip(way),
		.data_end = frame->data + frame->length,
		.data_meta = way_ip(way),
		.hard_start = frame->memory,
		.frame_end = frame->end,
		.mac_header = frame->data,
		.network_header = way_ip(way),
		.len = way_length(way),
		.mark = way->mark,
		.protocol = htons(way->family == AF_INET ? ETH_P_IP : ETH_P_IPV6),
		.ingress_ifindex = way->is_own ? 0 : way->from->ifindex,
		.ifindex = place == ROUTE_LWT_IN ? way->from->ifindex : hop->device->ifindex,
		.hash = frame->known & FRAME_HASH ? frame->hash : 0,
		.wire_len = way_length(way),
	};
}

/* What the program made of it is a packet that can be forwarded. */
static bool is_packet(const struct skb_ctx *skb)
{
	const u8 *ip = skb->data;

	if (skb->len && ip[0] >> 4 == 4)
		return skb->len >= IPV4_HEADER && (ip[0] & 15) * 4 >= IPV4_HEADER &&
		       (u32)(ip[0] & 15) * 4 <= skb->len && skb->protocol == htons(ETH_P_IP);
	return skb->len >= IPV6_HEADER && ip[0] >> 4 == 6 && skb->protocol == htons(ETH_P_IPV6);
}

/* The frame becomes the packet, with the old header of the link layer in front. */
static bool take_over(struct forward_way *way, const struct skb_ctx *skb)
{
	struct frame *frame = way->frame;

	if (!is_packet(skb) || skb->data - skb->hard_start < LINK_HEADER)
		return false;
	memmove(skb->data - LINK_HEADER, frame->data, LINK_HEADER);
	frame->data = skb->data - LINK_HEADER;
	frame->length = frame->original_length = LINK_HEADER + skb->len;
	way->family = skb->protocol == htons(ETH_P_IP) ? AF_INET : AF_INET6;
	way->mark = skb->mark;
	return true;
}

/* The program put a header of the link layer in front, and named a port. */
static void redirect(struct forward_way *way, const struct skb_ctx *skb)
{
	const struct redirect to = way->run->redirect;
	struct port *port = to.kind == REDIRECT_IFINDEX
				    ? way->path->find(way->path->cookie, to.ifindex)
				    : NULL;
	struct frame *frame = way->frame;

	if (!port || to.flags & ~(u64)BPF_F_INGRESS || skb->data >= skb->network_header ||
	    skb->len < LINK_HEADER)
		return forward_end(way, SKEP_FORWARD_LWT_DROP);
	frame->data = skb->data;
	frame->length = frame->original_length = skb->len;
	forward_end(way, SKEP_FORWARD_LWT_REDIRECT);
	if (to.flags & BPF_F_INGRESS)
		tc_receive(way->path, port, frame, way->run);
	else
		forward_leave(way, port);
}

bool forward_run_lwt(struct forward_way *way, const struct forward_hop *hop,
		     enum route_lwt place)
{
	const struct object *object = hop->route ? hop->route->lwt[place] : NULL;
	struct skb_ctx skb;
	u32 verdict;

	if (likely(!object))
		return true;
	skb_of_way(way, hop, place, &skb);
	way->run->redirect.kind = REDIRECT_NONE;
	verdict = prog_run(container_of(object, struct prog, object), &skb, way->run);
	if (verdict == BPF_REDIRECT && place == ROUTE_LWT_XMIT) {
		redirect(way, &skb);
		return false;
	}
	if ((verdict != BPF_OK && verdict != BPF_LWT_REROUTE && verdict != BPF_REDIRECT) ||
	    !take_over(way, &skb)) {
		forward_end(way, SKEP_FORWARD_LWT_DROP);
		return false;
	}
	if (verdict != BPF_LWT_REROUTE || place == ROUTE_LWT_OUT)
		return true;
	forward_again(way);
	return false;
}
