/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffers. The map is r1, or known from the record. */
#include "helper/body.h"
#include "helper/dynptr.h"
#include "map/map.h"

HELPER_BODY(ringbuf_output)
{
	return map_ringbuf_output(u64_to_ptr(r1), u64_to_ptr(r2), r3, r4, run->slot);
}

HELPER_BODY(ringbuf_reserve)
{
	return ptr_to_u64(map_ringbuf_reserve(u64_to_ptr(r1), r2, r3, run->slot));
}

HELPER_BODY(ringbuf_submit)
{
	map_ringbuf_commit(u64_to_ptr(r1), r2, false, run->slot);
	return 0;
}

HELPER_BODY(ringbuf_discard)
{
	map_ringbuf_commit(u64_to_ptr(r1), r2, true, run->slot);
	return 0;
}

HELPER_BODY(ringbuf_query)
{
	return map_ringbuf_query(u64_to_ptr(r1), r2);
}

struct drain {
	struct run_context *run;
	u64 function, context;
};

static bool take_record(void *cookie, void *record, u32 size)
{
	const struct drain *drain = cookie;
	struct dynptr ptr;
	const u64 args[5] = {ptr_to_u64(&ptr), drain->context};

	dynptr_set(&ptr, DYNPTR_IN_MEMORY, record, size);
	return drain->run->call_back(drain->run, drain->function, args);
}

HELPER_BODY(user_ringbuf_drain)
{
	struct drain drain = {run, r2, r3};

	return map_user_ringbuf_drain(u64_to_ptr(r1), take_record, &drain, r4);
}
