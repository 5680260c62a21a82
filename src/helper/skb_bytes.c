/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of a packet, and the packet's bounds. */
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

/* Linux takes offsets of an s32 here, of a u16 when relative. */
#define OFFSET_MAX	    INT32_MAX
#define RELATIVE_OFFSET_MAX 0xffff

int skb_push(struct skb_ctx *skb, u32 bytes)
{
	if (skb->data - skb->hard_start < bytes)
		return -ENOMEM;
	skb->data -= bytes;
	skb->data_meta = skb->data;
	skb->len += bytes;
	return 0;
}

void skb_pull(struct skb_ctx *skb, u32 bytes)
{
	skb->data += bytes;
	skb->data_meta = skb->data;
	skb->len -= bytes;
}

void skb_set_end(struct skb_ctx *skb, u8 *end)
{
	skb->data_end = end;
	skb->len = end - skb->data;
}

HELPER_BODY(skb_load_bytes)
{
	const struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 offset = r2, size = r4;

	if (offset <= OFFSET_MAX && skb_has(skb, offset, size)) {
		memcpy(u64_to_ptr(r3), skb->data + offset, size);
		return 0;
	}
	memset(u64_to_ptr(r3), 0, size);
	return -EFAULT;
}

HELPER_BODY(skb_load_bytes_relative)
{
	const struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 offset = r2, size = r4;
	const u8 *start = NULL;

	if ((u32)r5 == BPF_HDR_START_MAC)
		start = skb->mac_header;
	else if ((u32)r5 == BPF_HDR_START_NET)
		start = skb->network_header;
	if (start && offset <= RELATIVE_OFFSET_MAX &&
	    (u64)offset + size <= (u64)(skb->data_end - start)) {
		memcpy(u64_to_ptr(r3), start + offset, size);
		return 0;
	}
	memset(u64_to_ptr(r3), 0, size);
	return -EFAULT;
}

HELPER_BODY(skb_store_bytes)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 offset = r2, size = r4;

	if (r5 & ~(u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return -EINVAL;
	if (offset > OFFSET_MAX || !skb_has(skb, offset, size))
		return -EFAULT;
	memcpy(skb->data + offset, u64_to_ptr(r3), size);
	if (r5 & BPF_F_INVALIDATE_HASH)
		skb->hash = 0;
	return 0;
}

/* All bytes are in reach already. */
HELPER_BODY(skb_pull_data)
{
	const struct skb_ctx *skb = u64_to_ptr(r1);

	return skb_has(skb, 0, (u32)r2) ? 0 : -ENOMEM;
}

HELPER_BODY(skb_change_type)
{
	struct skb_ctx *skb = u64_to_ptr(r1);

	if (skb->pkt_type > PACKET_OTHERHOST || (u32)r2 > PACKET_OTHERHOST)
		return -EINVAL;
	skb->pkt_type = r2;
	return 0;
}

/* Which clock the packet's time is of: Linux's BPF_SKB_CLOCK_*. */
enum { CLOCK_OF_WALL, CLOCK_THAT_NEVER_JUMPS, CLOCK_OF_ATOMS };

HELPER_BODY(skb_set_tstamp)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u16 protocol = ntohs((u16)skb->protocol);

	if (protocol != ETH_P_IP && protocol != ETH_P_IPV6)
		return -EOPNOTSUPP;
	if ((u32)r3 > CLOCK_OF_ATOMS || ((u32)r3 != CLOCK_OF_WALL && !r2))
		return -EINVAL;
	skb->tstamp = r2;
	skb->tstamp_type = r3;
	return 0;
}

/* --- explicit congestion notification (RFC 3168) --- */
#define ECN_MASK 3
#define ECN_CE	 3

static u16 sum16(u16 a, u16 b)
{
	u32 sum = (u32)a + b;

	return sum + (sum >> 16);
}

/* 1: the packet says now that it met congestion, 0: its sender does not listen to that. */
static bool ipv4_set_ce(u8 *ip)
{
	u32 ecn = ip[1] & ECN_MASK;
	u16 checksum;

	if (!ecn)
		return false;
	if (ecn == ECN_CE)
		return true;
	memcpy(&checksum, ip + 10, sizeof(checksum));
	checksum = ~sum16(~checksum, htons(ECN_CE - ecn));
	memcpy(ip + 10, &checksum, sizeof(checksum));
	ip[1] |= ECN_CE;
	return true;
}

static bool ipv6_set_ce(u8 *ip)
{
	if (!(ip[1] >> 4 & ECN_MASK))
		return false;
	ip[1] |= ECN_CE << 4;
	return true;
}

HELPER_BODY(skb_ecn_set_ce)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	u8 *ip = skb->network_header;
	ptrdiff_t size = ip ? skb->data_end - ip : 0;

	if (skb->protocol == htons(ETH_P_IP) && size >= 20)
		return ipv4_set_ce(ip);
	if (skb->protocol == htons(ETH_P_IPV6) && size >= 40)
		return ipv6_set_ce(ip);
	return 0;
}
