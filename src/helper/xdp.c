/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP: the bounds of the frame, and its bytes. */
#include "catalog/ctx.h"
#include "helper/body.h"
#include "helper/skb.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define META_MAX  255
#define BYTES_MAX 0xffff

static bool has_no_metadata(const struct xdp_ctx *xdp)
{
	return xdp->data_meta > xdp->data;
}

static const u8 *headroom_start(const struct xdp_ctx *xdp)
{
	return xdp->hard_start + PACKET_HEADROOM_KEPT;
}

HELPER_BODY(xdp_adjust_head)
{
	struct xdp_ctx *xdp = u64_to_ptr(r1);
	const s32 offset = r2;
	const ptrdiff_t meta = has_no_metadata(xdp) ? 0 : xdp->data - xdp->data_meta;

	if (offset < headroom_start(xdp) + meta - xdp->data ||
	    offset > xdp->data_end - ETH_HLEN - xdp->data)
		return -EINVAL;
	if (meta)
		memmove(xdp->data_meta + offset, xdp->data_meta, meta);
	xdp->data_meta += offset;
	xdp->data += offset;
	return 0;
}

HELPER_BODY(xdp_adjust_tail)
{
	struct xdp_ctx *xdp = u64_to_ptr(r1);
	const s32 offset = r2;

	if (offset > xdp->frame_end - xdp->data_end ||
	    offset < xdp->data + ETH_HLEN - xdp->data_end)
		return -EINVAL;
	if (offset > 0)
		memset(xdp->data_end, 0, offset);
	xdp->data_end += offset;
	return 0;
}

HELPER_BODY(xdp_adjust_meta)
{
	struct xdp_ctx *xdp = u64_to_ptr(r1);
	const s32 offset = r2;
	ptrdiff_t length;

	if (has_no_metadata(xdp))
		return -ENOTSUPP;
	length = xdp->data - xdp->data_meta - offset;
	if (length < 0 || length > xdp->data - headroom_start(xdp))
		return -EINVAL;
	if (length % sizeof(u32) || length > META_MAX)
		return -EACCES;
	xdp->data_meta += offset;
	return 0;
}

HELPER_BODY(xdp_get_buff_len)
{
	const struct xdp_ctx *xdp = u64_to_ptr(r1);

	return xdp->data_end - xdp->data;
}

/* 0 when the frame has these bytes, or a negative errno. */
static int find_bytes(const struct xdp_ctx *xdp, u32 offset, u32 size)
{
	if (offset > BYTES_MAX || size > BYTES_MAX)
		return -EFAULT;
	return offset + size > xdp->data_end - xdp->data ? -EINVAL : 0;
}

HELPER_BODY(xdp_load_bytes)
{
	const struct xdp_ctx *xdp = u64_to_ptr(r1);
	int ret = find_bytes(xdp, r2, r4);

	if (!ret)
		memcpy(u64_to_ptr(r3), xdp->data + (u32)r2, (u32)r4);
	return ret;
}

HELPER_BODY(xdp_store_bytes)
{
	struct xdp_ctx *xdp = u64_to_ptr(r1);
	int ret = find_bytes(xdp, r2, r4);

	if (!ret)
		memcpy(xdp->data + (u32)r2, u64_to_ptr(r3), (u32)r4);
	return ret;
}

/* All bytes are in reach already. */
KFUNC_BODY(bpf_xdp_pull_data)
{
	const struct xdp_ctx *xdp = u64_to_ptr(r1);

	return (u32)r2 > xdp->data_end - xdp->data ? -EINVAL : 0;
}
