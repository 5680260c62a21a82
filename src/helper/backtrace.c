/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/backtrace.h"

#include "helper/body.h"

#include <errno.h>
#include <unwind.h>

#if defined(__x86_64__)
#define FRAME_POINTER 6 /* DWARF's number of rbp */
#elif defined(__aarch64__)
#define FRAME_POINTER 29
#endif

#define FRAME_DISTANCE_MAX (1U << 20) /* a frame is not larger */

static _Thread_local const void *entry;

const void *backtrace_enter(const void *cfa)
{
	const void *before = entry;

	entry = cfa;
	return before;
}

struct walk {
	u64 *out;
	u32 skip, limit, count;
	u64 stack_pointer, frame_pointer; /* of the last frame */
	bool is_full;
};

static void add_frame(struct walk *walk, u64 address)
{
	if (walk->skip) {
		walk->skip--;
		return;
	}
	walk->is_full = walk->count == walk->limit;
	if (!walk->is_full)
		walk->out[walk->count++] = address;
}

static _Unwind_Reason_Code visit_frame(struct _Unwind_Context *context, void *cookie)
{
	struct walk *walk = cookie;

	walk->stack_pointer = _Unwind_GetCFA(context);
#ifdef FRAME_POINTER
	walk->frame_pointer = _Unwind_GetGR(context, FRAME_POINTER);
#endif
	if (walk->stack_pointer >= ptr_to_u64(entry))
		add_frame(walk, _Unwind_GetIP(context));
	return walk->is_full ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* { the caller's frame pointer, return address } at each frame pointer. Zero ends, as the
 * first function of a thread has it. */
static void follow_frame_pointers(struct walk *walk)
{
	u64 frame[2];

	while (!walk->is_full && walk->frame_pointer >= walk->stack_pointer &&
	       walk->frame_pointer - walk->stack_pointer < FRAME_DISTANCE_MAX &&
	       walk->frame_pointer % sizeof(u64) == 0 &&
	       !fault_safe_read(frame, sizeof(frame), walk->frame_pointer) && frame[1]) {
		add_frame(walk, frame[1]);
		walk->stack_pointer = walk->frame_pointer + sizeof(frame);
		walk->frame_pointer = frame[0];
	}
}

s32 backtrace_stack(u64 *out, u32 skip, u32 limit)
{
	struct walk walk = {.out = out, .skip = skip, .limit = limit};

	_Unwind_Backtrace(visit_frame, &walk);
	follow_frame_pointers(&walk);
	/* The unwinder ends with an address of 0 where it knows nothing more. */
	while (walk.count && !out[walk.count - 1])
		walk.count--;
	return walk.skip ? -EFAULT : (s32)walk.count;
}
