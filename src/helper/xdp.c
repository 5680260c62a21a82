/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP: the bounds of the frame, and its bytes. */
#include "helper/xdp.h"
#include "catalog/ctx.h"
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
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

/* The last page has room at its end. */
static int grow_fragments(struct xdp_ctx *xdp, u32 more)
{
	u8 *end = xdp->fragments + xdp->fragment_bytes;
	const u32 used = (end - xdp->pages) % XDP_FRAGMENT_MAX ?: XDP_FRAGMENT_MAX;

	if (more > XDP_FRAGMENT_MAX - used || more > xdp->pages_end - end)
		return -EINVAL;
	memset(end, 0, more);
	xdp->fragment_bytes += more;
	return 0;
}

/* The last bytes go, those of fragments first. */
static int shrink_fragments(struct xdp_ctx *xdp, u32 less)
{
	const u32 from_fragments = min(less, xdp->fragment_bytes);

	if ((s64)less > (s64)xdp_length(xdp) - ETH_HLEN)
		return -EINVAL;
	xdp->fragment_bytes -= from_fragments;
	xdp->data_end -= less - from_fragments;
	return 0;
}

HELPER_BODY(xdp_adjust_tail)
{
	struct xdp_ctx *xdp = u64_to_ptr(r1);
	const s32 offset = r2;

	if (xdp->fragment_bytes)
		return offset < 0 ? shrink_fragments(xdp, -(u32)offset)
				  : grow_fragments(xdp, offset);
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
	return xdp_length(u64_to_ptr(r1));
}

u8 *xdp_bytes(const struct xdp_ctx *xdp, u32 offset, u32 size)
{
	const u32 linear = xdp->data_end - xdp->data;
	u32 room;

	if ((u64)offset + size > xdp_length(xdp))
		return NULL;
	if (offset < linear)
		return size <= linear - offset ? xdp->data + offset : NULL;
	offset -= linear;
	room = min(xdp->fragment_bytes - offset,
		   XDP_FRAGMENT_MAX -
			   (u32)(xdp->fragments + offset - xdp->pages) % XDP_FRAGMENT_MAX);
	return size <= room ? xdp->fragments + offset : NULL;
}

/* 0 when the frame has these bytes, or a negative errno. */
static int find_bytes(const struct xdp_ctx *xdp, u32 offset, u32 size)
{
	if (offset > BYTES_MAX || size > BYTES_MAX)
		return -EFAULT;
	return offset + size > xdp_length(xdp) ? -EINVAL : 0;
}

/* How many of the bytes are before the fragments. */
static u32 linear_part(const struct xdp_ctx *xdp, u32 offset, u32 size)
{
	const u32 linear = xdp->data_end - xdp->data;

	return offset < linear ? min(size, linear - offset) : 0;
}

int xdp_load(const struct xdp_ctx *xdp, u32 offset, void *to, u32 size)
{
	const int ret = find_bytes(xdp, offset, size);
	const u32 first = linear_part(xdp, offset, size);

	if (ret)
		return ret;
	memmove(to, xdp->data + offset, first);
	if (first < size)
		memmove((u8 *)to + first,
			xdp->fragments + (offset + first - (xdp->data_end - xdp->data)),
			size - first);
	return 0;
}

int xdp_store(const struct xdp_ctx *xdp, u32 offset, const void *from, u32 size)
{
	const int ret = find_bytes(xdp, offset, size);
	const u32 first = linear_part(xdp, offset, size);

	if (ret)
		return ret;
	memmove(xdp->data + offset, from, first);
	if (first < size)
		memmove(xdp->fragments + (offset + first - (xdp->data_end - xdp->data)),
			(const u8 *)from + first, size - first);
	return 0;
}

HELPER_BODY(xdp_load_bytes)
{
	return xdp_load(u64_to_ptr(r1), r2, u64_to_ptr(r3), r4);
}

HELPER_BODY(xdp_store_bytes)
{
	return xdp_store(u64_to_ptr(r1), r2, u64_to_ptr(r3), r4);
}

/* The frame's first bytes, with what stands before them, move to an earlier place. */
static void move_back(struct xdp_ctx *xdp, u32 by)
{
	u8 *start = has_no_metadata(xdp) ? xdp->data : xdp->data_meta;

	memmove(start - by, start, xdp->data_end - start);
	xdp->data -= by;
	xdp->data_meta -= by;
	xdp->data_end -= by;
}

/* Bytes of fragments come into direct reach: behind those that are, or where there was
 * headroom. */
KFUNC_BODY(bpf_xdp_pull_data)
{
	struct xdp_ctx *xdp = u64_to_ptr(r1);
	const u32 linear = xdp->data_end - xdp->data, tail = xdp->frame_end - xdp->data_end;
	const u32 head =
		(has_no_metadata(xdp) ? xdp->data : xdp->data_meta) - headroom_start(xdp);
	u32 more;

	if ((u32)r2 > xdp_length(xdp))
		return -EINVAL;
	if ((u32)r2 <= linear)
		return 0;
	more = (u32)r2 - linear;
	if (more > head + tail)
		return -EINVAL;
	if (more > tail)
		move_back(xdp, more - tail);
	memcpy(xdp->data_end, xdp->fragments, more);
	xdp->data_end += more;
	xdp->fragments += more;
	xdp->fragment_bytes -= more;
	return 0;
}

/* --- what the port knows (Linux's metadata functions) --- */

/* Linux: L4, whatever the protocol. */
#define HASH_TYPE_L4 (1u << 3)

static int check_known(const struct xdp_ctx *xdp, u32 what)
{
	if (!xdp->rx || !(xdp->rx->able & what))
		return -EOPNOTSUPP;
	return xdp->rx->known & what ? 0 : -ENODATA;
}

KFUNC_BODY(bpf_xdp_metadata_rx_timestamp)
{
	const struct xdp_ctx *xdp = u64_to_ptr(r1);
	const int ret = check_known(xdp, XDP_RX_TIME);

	if (!ret)
		*(u64 *)u64_to_ptr(r2) = xdp->rx->time_ns;
	return ret;
}

KFUNC_BODY(bpf_xdp_metadata_rx_hash)
{
	const struct xdp_ctx *xdp = u64_to_ptr(r1);
	const int ret = check_known(xdp, XDP_RX_HASH);

	if (ret)
		return ret;
	*(u32 *)u64_to_ptr(r2) = xdp->rx->hash;
	*(u32 *)u64_to_ptr(r3) = HASH_TYPE_L4;
	return 0;
}

KFUNC_BODY(bpf_xdp_metadata_rx_vlan_tag)
{
	const struct xdp_ctx *xdp = u64_to_ptr(r1);
	const int ret = check_known(xdp, XDP_RX_VLAN);

	if (ret)
		return ret;
	*(u16 *)u64_to_ptr(r2) = htons(xdp->rx->vlan_proto);
	*(u16 *)u64_to_ptr(r3) = xdp->rx->vlan_tci;
	return 0;
}
