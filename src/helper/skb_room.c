/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in a packet: at both ends, and between its headers. */
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define ROOM_MAX    0xfff

/* newer than Linux 6.1's header */
#define DECAP_L3_IPV4 (1ull << 7)
#define DECAP_L3_IPV6 (1ull << 8)

#define DECAP_L3      (DECAP_L3_IPV4 | DECAP_L3_IPV6)
#define ENCAP_L3      (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6)
#define ENCAP_L4      (BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
#define ENCAP_L2      (BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_ENCAP_L2(0xff))
#define SHRINK_FLAGS  (BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET | DECAP_L3)
#define ALL_FLAGS     (SHRINK_FLAGS | ENCAP_L3 | ENCAP_L4 | ENCAP_L2)

HELPER_BODY(skb_change_head)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 room = r2;

	if (r3 || room > SKB_LENGTH_MAX || skb->len + room > SKB_LENGTH_MAX)
		return -EINVAL;
	if (skb_push(skb, room))
		return -ENOMEM;
	memset(skb->data, 0, room);
	skb->mac_header = skb->data;
	return 0;
}

HELPER_BODY(skb_change_tail)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 length = r2;

	if (r3 || length > SKB_LENGTH_MAX || (s32)length < skb_network_offset(skb))
		return -EINVAL;
	if (skb->is_encapsulated)
		return -ENOTSUPP;
	if (length > (size_t)(skb->frame_end - skb->data))
		return -ENOMEM;
	if (length > skb->len)
		memset(skb->data_end, 0, length - skb->len);
	skb_set_end(skb, skb->data + length);
	return 0;
}

/* Opens `room` zero bytes at `offset`; the headers before it move. */
static int open_room(struct skb_ctx *skb, u32 offset, u32 room)
{
	if (!skb_has(skb, 0, offset) || skb_push(skb, room))
		return -ENOMEM;
	memmove(skb->data, skb->data + room, offset);
	memset(skb->data + offset, 0, room);
	skb->mac_header -= room;
	skb->network_header -= room;
	return 0;
}

static int close_room(struct skb_ctx *skb, u32 offset, u32 room)
{
	if (!skb_has(skb, offset, room))
		return -ENOMEM;
	memmove(skb->data + room, skb->data, offset);
	skb_pull(skb, room);
	skb->mac_header += room;
	skb->network_header += room;
	return 0;
}

/* IPv4 to IPv6 and back: room only, the program writes the header. */
HELPER_BODY(skb_change_proto)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 to = (u16)r2, mac = skb_mac_length(skb), room = IPV6_HEADER - IPV4_HEADER;
	int ret = -ENOTSUPP;

	if (r3)
		return -EINVAL;
	if (skb->protocol == htons(ETH_P_IP) && to == htons(ETH_P_IPV6))
		ret = open_room(skb, mac, room);
	else if (skb->protocol == htons(ETH_P_IPV6) && to == htons(ETH_P_IP))
		ret = close_room(skb, mac, room);
	if (ret)
		return ret;
	skb->protocol = to;
	skb->hash = 0;
	return 0;
}

static u32 header_length(u32 protocol)
{
	return protocol == htons(ETH_P_IP) ? IPV4_HEADER : IPV6_HEADER;
}

static int check_encapsulation(const struct skb_ctx *skb, u32 room, u64 flags)
{
	const u32 inner_mac = flags >> BPF_ADJ_ROOM_ENCAP_L2_SHIFT;

	if ((flags & ENCAP_L3) == ENCAP_L3 || (flags & ENCAP_L4) == ENCAP_L4)
		return -EINVAL;
	if ((flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH) && inner_mac < ETH_HLEN)
		return -EINVAL;
	if (skb->is_encapsulated)
		return -EALREADY;
	return inner_mac > room ? -EINVAL : 0;
}

/* The outer header of another version makes the packet one of it. */
static void follow_outer_header(struct skb_ctx *skb, bool is_ipv4, bool is_ipv6)
{
	if (skb->protocol == htons(ETH_P_IP) && is_ipv6)
		skb->protocol = htons(ETH_P_IPV6);
	else if (skb->protocol == htons(ETH_P_IPV6) && is_ipv4)
		skb->protocol = htons(ETH_P_IP);
}

static int grow(struct skb_ctx *skb, u32 offset, u32 room, u64 flags)
{
	int ret;

	if (skb->len + room > SKB_LENGTH_MAX)
		return -ENOTSUPP;
	ret = flags & ENCAP_L3 ? check_encapsulation(skb, room, flags) : 0;
	ret = ret ?: open_room(skb, offset, room);
	if (ret || !(flags & ENCAP_L3))
		return ret;
	skb->is_encapsulated = true;
	follow_outer_header(skb, flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV4,
			    flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6);
	return 0;
}

static int shrink(struct skb_ctx *skb, u32 offset, u32 room, u64 flags)
{
	const u32 length = skb->len - skb_network_offset(skb);
	u32 rest = header_length(skb->protocol);
	int ret;

	if (flags & DECAP_L3)
		rest = flags & DECAP_L3_IPV4 ? IPV4_HEADER : IPV6_HEADER;
	if (room >= length || length - room < rest)
		return -ENOTSUPP;
	if (flags & ~SHRINK_FLAGS)
		return -EINVAL;
	ret = close_room(skb, offset, room);
	if (!ret)
		follow_outer_header(skb, flags & DECAP_L3_IPV4, flags & DECAP_L3_IPV6);
	return ret;
}

/* What Linux checks before it looks at the packet's length. */
static int check_room(const struct skb_ctx *skb, s32 change, u32 mode, u64 flags)
{
	if (flags & ~ALL_FLAGS)
		return -EINVAL;
	if (change > ROOM_MAX || change < -ROOM_MAX)
		return -EFAULT;
	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		return -ENOTSUPP;
	if (mode != BPF_ADJ_ROOM_NET && mode != BPF_ADJ_ROOM_MAC)
		return -ENOTSUPP;
	if ((flags & DECAP_L3) && (change >= 0 || (flags & DECAP_L3) == DECAP_L3))
		return -EINVAL;
	return 0;
}

HELPER_BODY(skb_adjust_room)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const s32 change = r2;
	int ret = check_room(skb, change, r3, r4);
	u32 offset = skb_mac_length(skb);

	if (ret)
		return ret;
	if ((u32)r3 == BPF_ADJ_ROOM_NET)
		offset += header_length(skb->protocol);
	ret = change < 0 ? shrink(skb, offset, -change, r4) : grow(skb, offset, change, r4);
	if (!ret && !(r4 & BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		skb->is_checksum_good = false;
	return ret;
}
