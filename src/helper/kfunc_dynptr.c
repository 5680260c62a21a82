/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel functions on dynptrs. What is read from other memory goes to where the bytes lie. */
#include "catalog/ctx.h"
#include "catalog/prog.h"
#include "helper/body.h"
#include "helper/dynptr.h"
#include "helper/kernel_task.h"
#include "helper/xdp.h"

#include <string.h>
#include <unistd.h>

/* --- of packets --- */
static void set_of_packet(struct dynptr *out, enum dynptr_type type, void *ctx, u64 size,
			  const struct run_context *run)
{
	dynptr_set(out, type, ctx, min(size, (u64)DYNPTR_SIZE_MAX));
	if (!prog_row(run->type)->may_write_packet)
		out->packed |= DYNPTR_READ_ONLY;
}

KFUNC_BODY(bpf_dynptr_from_skb)
{
	struct dynptr *out = u64_to_ptr(r3);
	struct skb_ctx *skb = u64_to_ptr(r1);

	dynptr_set_null(out);
	if (r2)
		return -EINVAL;
	set_of_packet(out, DYNPTR_IN_SKB, skb, skb->len, run);
	return 0;
}

KFUNC_BODY(bpf_dynptr_from_skb_meta)
{
	struct dynptr *out = u64_to_ptr(r3);
	struct skb_ctx *skb = u64_to_ptr(r1);

	dynptr_set_null(out);
	if (r2)
		return -EINVAL;
	set_of_packet(out, DYNPTR_IN_SKB_METADATA, skb, skb->data - skb->data_meta, run);
	return 0;
}

KFUNC_BODY(bpf_dynptr_from_xdp)
{
	struct dynptr *out = u64_to_ptr(r3);
	struct xdp_ctx *xdp = u64_to_ptr(r1);

	dynptr_set_null(out);
	if (r2)
		return -EINVAL;
	set_of_packet(out, DYNPTR_IN_XDP, xdp, xdp_length(xdp), run);
	return 0;
}

/* --- parts. Bytes in several pieces of a frame are copied to the caller's buffer, which a
 * frame that became shorter leaves as it is, as on Linux. --- */
KFUNC_BODY(bpf_dynptr_slice)
{
	const struct dynptr *ptr = u64_to_ptr(r1);
	u8 *bytes = dynptr_bytes(ptr, r2, r4);

	if (!bytes && ptr->data && dynptr_type(ptr) == DYNPTR_IN_XDP &&
	    !dynptr_check(ptr, r2, r4)) {
		if (r3)
			xdp_load(ptr->data, ptr->offset + (u32)r2, u64_to_ptr(r3), r4);
		return r3;
	}
	return ptr_to_u64(bytes);
}

static u8 *bytes_to_write(const struct dynptr *ptr, u32 offset, u32 size)
{
	return dynptr_is_read_only(ptr) ? NULL : dynptr_bytes(ptr, offset, size);
}

KFUNC_BODY(bpf_dynptr_slice_rdwr)
{
	if (dynptr_is_read_only(u64_to_ptr(r1)))
		return 0;
	return kfunc_bpf_dynptr_slice(r1, r2, r3, r4, r5, run);
}

/* --- the dynptr itself --- */
KFUNC_BODY(bpf_dynptr_adjust)
{
	struct dynptr *ptr = u64_to_ptr(r1);
	const u32 start = r2, end = r3;

	if (!ptr->data || start > end)
		return -EINVAL;
	if (end > dynptr_size(ptr))
		return -ERANGE;
	ptr->offset += start;
	ptr->packed = (ptr->packed & ~DYNPTR_SIZE_MAX) | (end - start);
	return 0;
}

KFUNC_BODY(bpf_dynptr_is_null)
{
	return !((const struct dynptr *)u64_to_ptr(r1))->data;
}

KFUNC_BODY(bpf_dynptr_is_rdonly)
{
	const struct dynptr *ptr = u64_to_ptr(r1);

	return ptr->data && dynptr_is_read_only(ptr);
}

KFUNC_BODY(bpf_dynptr_size)
{
	const struct dynptr *ptr = u64_to_ptr(r1);

	return ptr->data ? (s64)dynptr_size(ptr) : -EINVAL;
}

KFUNC_BODY(bpf_dynptr_clone)
{
	const struct dynptr *ptr = u64_to_ptr(r1);
	struct dynptr *out = u64_to_ptr(r2);

	*out = *ptr;
	return ptr->data ? 0 : -EINVAL;
}

/* --- bytes --- */

/* What an access to these bytes would have answered. */
static int why_not(const struct dynptr *ptr, u32 offset, u32 size)
{
	const int ret = dynptr_check(ptr, offset, size);

	return ret ?: dynptr_type(ptr) == DYNPTR_IN_SKB ? -EFAULT : -EINVAL;
}

static int why_not_written(const struct dynptr *ptr, u32 offset, u32 size)
{
	if (dynptr_is_read_only(ptr))
		return -EINVAL;
	/* nothing is to be done, and nothing is looked at */
	return !ptr->data && !offset && !size ? 0 : why_not(ptr, offset, size);
}

KFUNC_BODY(bpf_dynptr_copy)
{
	const struct dynptr *to = u64_to_ptr(r1), *from = u64_to_ptr(r3);
	const u32 size = r5;
	const u8 *source = dynptr_bytes(from, r4, size);

	if (source)
		return dynptr_write(to, r2, source, size, 0);
	if (bytes_to_write(to, r2, size))
		return dynptr_read(bytes_to_write(to, r2, size), size, from, r4, 0);
	return why_not_written(to, r2, size) ?: why_not_written(from, r4, size);
}

KFUNC_BODY(bpf_dynptr_memset)
{
	const struct dynptr *ptr = u64_to_ptr(r1);
	u8 *bytes = bytes_to_write(ptr, r2, r3);

	if (bytes)
		memset(bytes, (u8)r4, (u32)r3);
	return bytes ? 0 : why_not_written(ptr, r2, r3);
}

typedef long read_fn(pid_t process, void *out, size_t size, u64 address);

static long read_into(const struct dynptr *ptr, u32 offset, u32 size, u64 address,
		      pid_t process, read_fn *read)
{
	u8 *bytes = bytes_to_write(ptr, offset, size);

	return bytes ? read(process, bytes, size, address) : why_not_written(ptr, offset, size);
}

static long read_bytes(pid_t process, void *out, size_t size, u64 address)
{
	return fault_safe_try_in(process, out, size, address);
}

static long read_string(pid_t process, void *out, size_t size, u64 address)
{
	return fault_safe_try_string_in(process, out, size, address);
}

KFUNC_BODY(bpf_probe_read_user_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, getpid(), read_bytes);
}

KFUNC_BODY(bpf_probe_read_kernel_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, getpid(), read_bytes);
}

KFUNC_BODY(bpf_probe_read_user_str_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, getpid(), read_string);
}

KFUNC_BODY(bpf_probe_read_kernel_str_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, getpid(), read_string);
}

KFUNC_BODY(bpf_copy_from_user_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, getpid(), read_bytes);
}

KFUNC_BODY(bpf_copy_from_user_str_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, getpid(), read_string);
}

KFUNC_BODY(bpf_copy_from_user_task_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, kernel_task_id(u64_to_ptr(r5)),
			 read_bytes);
}

KFUNC_BODY(bpf_copy_from_user_task_str_dynptr)
{
	return read_into(u64_to_ptr(r1), r2, r3, r4, kernel_task_id(u64_to_ptr(r5)),
			 read_string);
}
