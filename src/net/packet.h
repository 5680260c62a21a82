/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame as tc programs see it: the engine's skb, on the frame's memory. As in Linux the
 * outermost VLAN tag is beside the bytes, and a tag goes back into them when the packet leaves.
 */
#ifndef SKEP_NET_PACKET_H
#define SKEP_NET_PACKET_H

#include "net/port.h"

struct packet {
	struct skb_ctx skb;
	struct frame *frame; /* whose memory it is; what it says else is older than the skb */
	u32 hops;	     /* redirects so far */
};

/* A packet that the port received from its queue, with XDP's metadata. False: it is too short
 * to be one. */
bool packet_from_frame(struct packet *packet, struct frame *frame, const struct port *port,
		       u32 queue, const u8 *own_mac);
/* What the packet's frame holds, with what is beside the bytes of another one. */
void packet_like(struct packet *packet, const struct skb_ctx *other);
/* The frame becomes what the packet is now. False: there is no room for its VLAN tag. */
bool packet_to_frame(struct packet *packet);

/* The packet comes in at another port, or leaves by it. */
void packet_enter(struct packet *packet, const struct port *port, const u8 *own_mac);
void packet_leave(struct packet *packet, const struct port *port);

#endif
