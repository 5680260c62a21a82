/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: a packet as struct skb_ctx has it. All its bytes are in one piece. */
#ifndef SKEP_HELPER_SKB_H
#define SKEP_HELPER_SKB_H

#include "catalog/ctx.h"

/* Linux's internal "not supported"; <errno.h> has no name for it. */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

/* A packet that helpers make is no longer: Linux's BPF_SKB_MAX_LEN. */
#define SKB_LENGTH_MAX (4 * 4096 - 320)

/* Where the network header is, from the start of the data; below 0: before it. */
static inline s32 skb_network_offset(const struct skb_ctx *skb)
{
	return skb->network_header ? skb->network_header - skb->data : 0;
}

static inline u32 skb_mac_length(const struct skb_ctx *skb)
{
	return skb->mac_header && skb->network_header ? skb->network_header - skb->mac_header
						      : 0;
}

static inline bool skb_has(const struct skb_ctx *skb, u64 offset, u64 size)
{
	return offset + size <= skb->len;
}

/* The packet begins `bytes` earlier; what it had of metadata is gone. -ENOMEM: no headroom. */
int skb_push(struct skb_ctx *skb, u32 bytes);
/* It begins `bytes` later; there are that many. */
void skb_pull(struct skb_ctx *skb, u32 bytes);
void skb_set_end(struct skb_ctx *skb, u8 *end);

#endif
