/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of stacks: a stack's id is the bucket that its hash names. */
#ifndef SKEP_MAP_STACK_TRACE_H
#define SKEP_MAP_STACK_TRACE_H

#include "map/map.h"

/* What a value has for each frame: an address, or a struct bpf_stack_build_id. */
static inline u32 map_stack_frame_size(const struct map_desc *desc)
{
	return desc->flags & BPF_F_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id)
						  : sizeof(u64);
}

u32 map_stack_hash(const u64 *addresses, u32 count);

/*
 * The id of the stack that is `size` bytes of frames, at most a value: kept anew or found.
 * BPF_F_FAST_STACK_CMP and BPF_F_REUSE_STACKID as in bpf_get_stackid(). -EEXIST: another stack
 * has the id; -ENOMEM: max_entries stacks are kept already.
 */
long map_stack_id(struct map *map, u32 hash, const void *frames, u32 size, u64 flags);

#endif
