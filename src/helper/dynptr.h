/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dynptr as a program keeps it on its stack, in the 16 bytes of Linux's struct
 * bpf_dynptr_kern: memory of a size that only the run knows. The memory of a packet stays the
 * packet's: what changes there is seen, and each access asks whether it is still there.
 */
#ifndef SKEP_HELPER_DYNPTR_H
#define SKEP_HELPER_DYNPTR_H

#include "base/types.h"
#include "catalog/uapi.h"

#include <errno.h>

enum dynptr_type {
	DYNPTR_IN_MEMORY = 1,
	DYNPTR_IN_RECORD,	/* data: a reserved record of a ring buffer */
	DYNPTR_IN_SKB,		/* data: struct skb_ctx */
	DYNPTR_IN_XDP,		/* data: struct xdp_ctx */
	DYNPTR_IN_SKB_METADATA, /* data: struct skb_ctx */
};

#define DYNPTR_SIZE_MAX	  ((1u << 24) - 1)
#define DYNPTR_TYPE_SHIFT 28
#define DYNPTR_READ_ONLY  (1u << 31)

struct dynptr {
	void *data; /* NULL: a null dynptr, all else is 0 */
	u32 packed; /* size, enum dynptr_type << DYNPTR_TYPE_SHIFT, DYNPTR_READ_ONLY */
	u32 offset; /* of its first byte in the data */
};

_Static_assert(sizeof(struct dynptr) == sizeof(struct bpf_dynptr), "what a program reserves");

static inline u32 dynptr_size(const struct dynptr *ptr)
{
	return ptr->packed & DYNPTR_SIZE_MAX;
}

static inline enum dynptr_type dynptr_type(const struct dynptr *ptr)
{
	return (ptr->packed & ~DYNPTR_READ_ONLY) >> DYNPTR_TYPE_SHIFT;
}

static inline bool dynptr_is_read_only(const struct dynptr *ptr)
{
	return ptr->packed & DYNPTR_READ_ONLY;
}

static inline void dynptr_set(struct dynptr *out, enum dynptr_type type, void *data, u32 size)
{
	*out = (struct dynptr){data, size | (u32)type << DYNPTR_TYPE_SHIFT, 0};
}

static inline void dynptr_set_null(struct dynptr *out)
{
	*out = (struct dynptr){};
}

/* 0, or -E2BIG when the dynptr has no such bytes. */
static inline int dynptr_check(const struct dynptr *ptr, u32 offset, u32 size)
{
	const u32 has = dynptr_size(ptr);

	return size > has || offset > has - size ? -E2BIG : 0;
}

/* The bytes where they lie; NULL: a null dynptr, or one that has them no more. */
u8 *dynptr_bytes(const struct dynptr *ptr, u32 offset, u32 size);
/* With the errno of the helpers bpf_dynptr_read() and bpf_dynptr_write(). */
int dynptr_read(void *to, u32 size, const struct dynptr *from, u32 offset, u64 flags);
int dynptr_write(const struct dynptr *to, u32 offset, const void *from, u32 size, u64 flags);

#endif
