/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads that are more than a load: from a packet by offset, and from memory that may be gone.
 */
#include "base/user.h"
#include "catalog/ctx.h"
#include "run/code.h"

#include <linux/filter.h>

static u64 read_big_endian(const u8 *bytes, u32 count)
{
	u64 value = 0;

	for (u32 i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

/*
 * Offsets below 0 count from the network header (from SKF_NET_OFF) or the link header (from
 * SKF_LL_OFF), as classic BPF has it.
 */
static const u8 *packet_at(const struct skb_ctx *skb, s32 offset)
{
	if (offset >= 0)
		return skb->data + offset;
	if (offset >= SKF_NET_OFF)
		return skb->network_header ? skb->network_header + (offset - SKF_NET_OFF)
					   : NULL;
	if (offset >= SKF_LL_OFF)
		return skb->mac_header ? skb->mac_header + (offset - SKF_LL_OFF) : NULL;
	return NULL;
}

bool packet_load(const struct run_context *run, const void *ctx, s32 offset, u32 bytes,
		 u64 *out)
{
	const struct skb_ctx *skb = ctx;
	const u8 *at = packet_at(skb, offset);

	if (!at || at < skb->hard_start || at > skb->data_end ||
	    (size_t)(skb->data_end - at) < bytes)
		return false;
	*out = read_big_endian(at, bytes);
	return true;
}

/*
 * The kernel reads through a fault handler; here the system call does. It is slow, and only
 * loads through pointers that the verifier could not vouch for come here.
 */
u64 probe_load(u64 address, s32 bytes)
{
	const size_t size = bytes < 0 ? -bytes : bytes;
	u64 value = 0;
	const bool is_le = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const u32 unused = 64 - 8 * size;

	if (user_read(&value, address, size))
		return 0;
	if (is_le)
		value <<= unused;
	return bytes < 0 ? (u64)((s64)value >> unused) : value >> unused;
}
