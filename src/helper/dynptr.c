/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs: made of memory and of ring buffers, read and written. */
#include "helper/dynptr.h"
#include "catalog/ctx.h"
#include "helper/body.h"
#include "helper/skb.h"
#include "helper/xdp.h"
#include "map/map.h"

#include <string.h>

/* --- where the bytes lie --- */
static u8 *bytes_between(u8 *start, const u8 *end, u32 offset, u32 size)
{
	return start <= end && (u64)offset + size <= (u64)(end - start) ? start + offset : NULL;
}

u8 *dynptr_bytes(const struct dynptr *ptr, u32 offset, u32 size)
{
	const struct skb_ctx *skb = ptr->data;
	const struct xdp_ctx *xdp = ptr->data;

	if (!ptr->data || dynptr_check(ptr, offset, size))
		return NULL;
	offset += ptr->offset;
	switch (dynptr_type(ptr)) {
	case DYNPTR_IN_MEMORY:
	case DYNPTR_IN_RECORD: return (u8 *)ptr->data + offset;
	case DYNPTR_IN_SKB: return bytes_between(skb->data, skb->data_end, offset, size);
	case DYNPTR_IN_XDP: return xdp_bytes(xdp, offset, size);
	case DYNPTR_IN_SKB_METADATA:
		return bytes_between(skb->data_meta, skb->data, offset, size);
	}
	return NULL;
}

int dynptr_read(void *to, u32 size, const struct dynptr *from, u32 offset, u64 flags)
{
	const u8 *bytes;

	if (!from->data || flags)
		return -EINVAL;
	if (dynptr_check(from, offset, size))
		return -E2BIG;
	if (dynptr_type(from) == DYNPTR_IN_XDP)
		return xdp_load(from->data, from->offset + offset, to, size);
	bytes = dynptr_bytes(from, offset, size);
	if (bytes) {
		memmove(to, bytes, size);
		return 0;
	}
	if (dynptr_type(from) != DYNPTR_IN_SKB)
		return -EINVAL;
	memset(to, 0, size);
	return -EFAULT;
}

int dynptr_write(const struct dynptr *to, u32 offset, const void *from, u32 size, u64 flags)
{
	u8 *bytes;

	if (!to->data || dynptr_is_read_only(to))
		return -EINVAL;
	if (dynptr_check(to, offset, size))
		return -E2BIG;
	if (dynptr_type(to) == DYNPTR_IN_SKB)
		return helper_skb_store_bytes(ptr_to_u64(to->data), to->offset + offset,
					      ptr_to_u64(from), size, flags, NULL);
	if (dynptr_type(to) == DYNPTR_IN_XDP && !flags)
		return xdp_store(to->data, to->offset + offset, from, size);
	bytes = dynptr_bytes(to, offset, size);
	if (flags || !bytes)
		return -EINVAL;
	memmove(bytes, from, size);
	return 0;
}

/* --- the helpers --- */
HELPER_BODY(dynptr_from_mem)
{
	struct dynptr *out = u64_to_ptr(r4);
	const u32 size = r2;

	dynptr_set_null(out);
	if (size > DYNPTR_SIZE_MAX)
		return -E2BIG;
	if (r3)
		return -EINVAL;
	dynptr_set(out, DYNPTR_IN_MEMORY, u64_to_ptr(r1), size);
	return 0;
}

HELPER_BODY(ringbuf_reserve_dynptr)
{
	struct dynptr *out = u64_to_ptr(r4);
	const u32 size = r2;
	void *record;

	dynptr_set_null(out);
	if (r3)
		return -EINVAL;
	if (size > DYNPTR_SIZE_MAX)
		return -E2BIG;
	record = map_ringbuf_reserve(u64_to_ptr(r1), size, 0, run->slot);
	if (!record)
		return -EINVAL;
	dynptr_set(out, DYNPTR_IN_RECORD, record, size);
	return 0;
}

static u64 commit(struct dynptr *ptr, u64 flags, bool discard, u32 slot)
{
	if (ptr->data)
		map_ringbuf_commit(ptr->data, flags, discard, slot);
	dynptr_set_null(ptr);
	return 0;
}

HELPER_BODY(ringbuf_submit_dynptr)
{
	return commit(u64_to_ptr(r1), r2, false, run->slot);
}

HELPER_BODY(ringbuf_discard_dynptr)
{
	return commit(u64_to_ptr(r1), r2, true, run->slot);
}

HELPER_BODY(dynptr_read)
{
	return dynptr_read(u64_to_ptr(r1), r2, u64_to_ptr(r3), r4, r5);
}

HELPER_BODY(dynptr_write)
{
	return dynptr_write(u64_to_ptr(r1), r2, u64_to_ptr(r3), r4, r5);
}

/* Memory that a program may write at any time: no packet's. */
HELPER_BODY(dynptr_data)
{
	const struct dynptr *ptr = u64_to_ptr(r1);
	const enum dynptr_type type = dynptr_type(ptr);

	if (dynptr_is_read_only(ptr) || (type != DYNPTR_IN_MEMORY && type != DYNPTR_IN_RECORD))
		return 0;
	return ptr_to_u64(dynptr_bytes(ptr, r2, r3));
}
