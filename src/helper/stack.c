/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of the thread that runs the program. The kernel's and the user's are the same one. */
#include "helper/backtrace.h"
#include "helper/body.h"
#include "helper/kernel_task.h"
#include "map/stack_trace.h"

#include <errno.h>
#include <string.h>

#define KIND_FLAGS (BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK)
#define ID_FLAGS   (KIND_FLAGS | BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID)
#define COPY_FLAGS (KIND_FLAGS | BPF_F_USER_BUILD_ID)

union frames {
	u64 address[BACKTRACE_MAX];
	struct bpf_stack_build_id described[BACKTRACE_MAX];
};

/* From the last on, as a description needs more room than an address. */
static void describe_frames(union frames *frames, u32 count)
{
	while (count--)
		backtrace_describe(frames->address[count], &frames->described[count]);
}

static u32 depth_limit(u64 frames, u64 skip)
{
	return min(frames + skip, BACKTRACE_MAX) - min(skip, BACKTRACE_MAX);
}

HELPER_BODY(get_stackid)
{
	struct map *map = u64_to_ptr(r2);
	const bool described = map->desc.flags & BPF_F_STACK_BUILD_ID;
	const u32 frame_size = map_stack_frame_size(&map->desc);
	const u32 skip = r3 & BPF_F_SKIP_FIELD_MASK;
	union frames frames;
	s32 count;
	u32 hash;

	if (r3 & ~ID_FLAGS)
		return -EINVAL;
	count = backtrace_stack(frames.address, skip,
				depth_limit(map->desc.value_size / frame_size, skip));
	if (count <= 0)
		return -EFAULT;
	hash = map_stack_hash(frames.address, count);
	if (described)
		describe_frames(&frames, count);
	return map_stack_id(map, hash, &frames, count * frame_size, r3);
}

static long copy_stack(void *out, u32 size, u64 flags)
{
	const bool described = flags & BPF_F_USER_BUILD_ID;
	const u32 frame_size = described ? sizeof(struct bpf_stack_build_id) : sizeof(u64);
	const u32 skip = flags & BPF_F_SKIP_FIELD_MASK;
	union frames frames;
	s32 count;

	if (flags & ~COPY_FLAGS || (described && !(flags & BPF_F_USER_STACK)) ||
	    size % frame_size)
		return -EINVAL;
	count = backtrace_stack(frames.address, skip, depth_limit(size / frame_size, skip));
	if (count < 0)
		return count;
	if (described)
		describe_frames(&frames, count);
	memcpy(out, &frames, count * frame_size);
	return count * frame_size;
}

/* What there is no frame for is zeroed. */
static long get_stack(u64 out, u64 size, u64 flags)
{
	u8 *bytes = u64_to_ptr(out);
	long copied = copy_stack(bytes, (u32)size, flags);
	u32 used = max(copied, 0);

	memset(bytes + used, 0, (u32)size - used);
	return copied;
}

HELPER_BODY(get_stack)
{
	return get_stack(r2, r3, r4);
}

/* Only the own stack holds still. */
HELPER_BODY(get_task_stack)
{
	if (kernel_task_is_current(u64_to_ptr(r1)))
		return get_stack(r2, r3, r4);
	memset(u64_to_ptr(r2), 0, (u32)r3);
	return -EOPNOTSUPP;
}
