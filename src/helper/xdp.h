/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the room: the bytes of an XDP frame. Those that programs reach directly are the first;
 * fragments follow, which are pages of memory that lie one behind the other.
 */
#ifndef SKEP_HELPER_XDP_H
#define SKEP_HELPER_XDP_H

#include "catalog/ctx.h"

#define XDP_FRAGMENT_MAX 4096

static inline u32 xdp_length(const struct xdp_ctx *xdp)
{
	return (u32)(xdp->data_end - xdp->data) + xdp->fragment_bytes;
}

/* The bytes where they lie; NULL: they are not there, or in more than one piece. */
u8 *xdp_bytes(const struct xdp_ctx *xdp, u32 offset, u32 size);

/* 0, or why these bytes cannot be copied: -EFAULT, -EINVAL. */
int xdp_load(const struct xdp_ctx *xdp, u32 offset, void *to, u32 size);
int xdp_store(const struct xdp_ctx *xdp, u32 offset, const void *from, u32 size);

#endif
