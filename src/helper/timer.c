/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers and work queues in values. A program begins with its object (run/run.h). */
#include "helper/body.h"
#include "map/async.h"

#include <errno.h>
#include <time.h>

#define CLOCK_BITS 15
#define ABSOLUTE   1 /* BPF_F_TIMER_ABS, Linux 6.3 */
#define PIN_TO_CPU 2 /* BPF_F_TIMER_CPU_PIN, Linux 6.7; there is one thread only */

static struct object *prog_object(const struct run_context *run)
{
	return (struct object *)run->prog;
}

HELPER_BODY(timer_init)
{
	const u64 clock = r3 & CLOCK_BITS;

	if (clock != r3 ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME))
		return -EINVAL;
	return async_init(run->env->async, u64_to_ptr(r1), u64_to_ptr(r2), ASYNC_TIMER, clock);
}

HELPER_BODY(timer_set_callback)
{
	return async_set(u64_to_ptr(r1), r2, prog_object(run));
}

HELPER_BODY(timer_start)
{
	if (r3 & ~(u64)(ABSOLUTE | PIN_TO_CPU))
		return -EINVAL;
	return async_start(u64_to_ptr(r1), r2, r3 & ABSOLUTE);
}

HELPER_BODY(timer_cancel)
{
	return async_cancel(u64_to_ptr(r1));
}

/* --- work queues --- */
KFUNC_BODY(bpf_wq_init)
{
	if ((u32)r3)
		return -EINVAL;
	return async_init(run->env->async, u64_to_ptr(r1), u64_to_ptr(r2), ASYNC_WORK,
			  CLOCK_MONOTONIC);
}

KFUNC_BODY(bpf_wq_set_callback_impl)
{
	return (u32)r3 ? -EINVAL : async_set(u64_to_ptr(r1), r2, prog_object(run));
}

KFUNC_BODY(bpf_wq_start)
{
	return (u32)r2 ? -EINVAL : async_start(u64_to_ptr(r1), 0, false);
}
