/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#define VLAN_BYTES     4
#define VLAN_ADDRESSES (2 * ETH_ALEN)

/* `own_mac` NULL: not known, all is for us that is for one. */
static u32 type_of(const struct ethhdr *eth, const u8 *own_mac)
{
	static const u8 all[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (eth->h_dest[0] & 1)
		return memcmp(eth->h_dest, all, ETH_ALEN) ? PACKET_MULTICAST : PACKET_BROADCAST;
	return own_mac && memcmp(eth->h_dest, own_mac, ETH_ALEN) ? PACKET_OTHERHOST
								 : PACKET_HOST;
}

/* Numbers below 0x600 are lengths: 802.3, raw when the payload begins with ffff. */
static u16 protocol_of(const u8 *mac, const u8 *end)
{
	u16 value;

	memcpy(&value, mac + VLAN_ADDRESSES, sizeof(value));
	if (ntohs(value) >= ETH_P_802_3_MIN)
		return value;
	if (end - mac >= ETH_HLEN + 2 && mac[ETH_HLEN] == 0xff && mac[ETH_HLEN + 1] == 0xff)
		return htons(ETH_P_802_3);
	return htons(ETH_P_802_2);
}

static bool is_vlan(u32 protocol)
{
	return protocol == htons(ETH_P_8021Q) || protocol == htons(ETH_P_8021AD);
}

/* Sets what the first bytes say. */
static void look_at_header(struct packet *packet, const u8 *own_mac)
{
	struct skb_ctx *skb = &packet->skb;

	skb->mac_header = skb->data;
	skb->network_header = skb->data + ETH_HLEN;
	skb->protocol = protocol_of(skb->data, skb->data_end);
	skb->pkt_type = type_of((const void *)skb->data, own_mac);
}

/* The tag leaves the bytes; metadata stays in front of them. */
static bool lift_vlan(struct packet *packet)
{
	struct skb_ctx *skb = &packet->skb;
	const u32 metadata = skb->data - skb->data_meta;
	u16 tag[2];

	if (skb->len < ETH_HLEN + VLAN_BYTES)
		return false;
	memcpy(tag, skb->data + VLAN_ADDRESSES, sizeof(tag));
	memmove(skb->data_meta + VLAN_BYTES, skb->data_meta, metadata + VLAN_ADDRESSES);
	skb->data += VLAN_BYTES;
	skb->data_meta += VLAN_BYTES;
	skb->len -= VLAN_BYTES;
	skb->vlan_present = true;
	skb->vlan_proto = tag[0];
	skb->vlan_tci = ntohs(tag[1]);
	return true;
}

bool packet_from_frame(struct packet *packet, struct frame *frame, const struct port *port,
		       u32 queue, const u8 *own_mac)
{
	struct skb_ctx *skb = &packet->skb;

	if (frame->length < ETH_HLEN)
		return false;
	packet->frame = frame;
	packet->hops = 0;
	*skb = (struct skb_ctx){
		.data = frame->data,
		.data_end = frame->data + frame->length,
		.data_meta = frame->data - frame->metadata,
		.hard_start = frame->memory,
		.frame_end = frame->end,
		.len = frame->length,
		.queue_mapping = port->queue_count > 1 ? queue + 1 : 0,
		.ifindex = port->ifindex,
		.ingress_ifindex = port->ifindex,
		.hash = frame->known & FRAME_HASH ? frame->hash : 0,
		.tstamp = frame->known & FRAME_TIME ? frame->time_ns : 0,
		.is_at_ingress = true,
	};
	if (frame->known & FRAME_VLAN) {
		skb->vlan_present = true;
		skb->vlan_proto = htons(frame->vlan_proto);
		skb->vlan_tci = frame->vlan_tci;
	}
	look_at_header(packet, own_mac);
	if (!skb->vlan_present && is_vlan(skb->protocol)) {
		if (!lift_vlan(packet))
			return false;
		look_at_header(packet, own_mac);
	}
	skb->wire_len = skb->len - ETH_HLEN;
	return true;
}

void packet_like(struct packet *packet, const struct skb_ctx *other)
{
	const struct frame *frame = packet->frame;
	struct skb_ctx *skb = &packet->skb;

	*skb = *other;
	skb->data = skb->data_meta = skb->mac_header = frame->data;
	skb->data_end = frame->data + frame->length;
	skb->network_header = frame->data + ETH_HLEN;
	skb->hard_start = frame->memory;
	skb->frame_end = frame->end;
	skb->len = frame->length;
	skb->sk = NULL;
}

/* The tag goes back into the bytes. */
static bool lower_vlan(struct skb_ctx *skb)
{
	const u16 tag[2] = {skb->vlan_proto, htons(skb->vlan_tci)};
	const u32 metadata = skb->data_meta < skb->data ? skb->data - skb->data_meta : 0;
	u8 *start = skb->data - metadata;

	if (start - skb->hard_start < VLAN_BYTES || skb->len < VLAN_ADDRESSES)
		return false;
	memmove(start - VLAN_BYTES, start, metadata + VLAN_ADDRESSES);
	skb->data -= VLAN_BYTES;
	skb->data_meta -= VLAN_BYTES;
	skb->len += VLAN_BYTES;
	memcpy(skb->data + VLAN_ADDRESSES, tag, sizeof(tag));
	skb->vlan_present = false;
	return true;
}

bool packet_to_frame(struct packet *packet)
{
	struct frame *frame = packet->frame;
	struct skb_ctx *skb = &packet->skb;

	frame->known &= ~FRAME_VLAN;
	if (skb->vlan_present && !lower_vlan(skb))
		return false;
	frame->original_length += skb->len - frame->length;
	frame->data = skb->data;
	frame->length = skb->len;
	frame->metadata = skb->data_meta < skb->data ? skb->data - skb->data_meta : 0;
	return true;
}

void packet_enter(struct packet *packet, const struct port *port, const u8 *own_mac)
{
	struct skb_ctx *skb = &packet->skb;

	skb->ifindex = skb->ingress_ifindex = port->ifindex;
	skb->data_meta = skb->data;
	skb->tstamp = skb->tstamp_type = skb->priority = 0;
	skb->is_at_ingress = true;
	look_at_header(packet, own_mac);
	skb->wire_len = skb->len - ETH_HLEN;
}

void packet_leave(struct packet *packet, const struct port *port)
{
	struct skb_ctx *skb = &packet->skb;

	skb->ifindex = port->ifindex;
	skb->data_meta = skb->data;
	skb->tstamp = skb->tstamp_type = 0;
	skb->is_at_ingress = false;
	skb->wire_len = skb->len;
}
