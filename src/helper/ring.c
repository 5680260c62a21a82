/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffers. The map is r1, or known from the record. */
#include "map/ring.h"
#include "helper/body.h"

HELPER_BODY(ringbuf_output)
{
	return map_ring_output(u64_to_ptr(r1), u64_to_ptr(r2), (u32)r3, r4);
}

HELPER_BODY(ringbuf_reserve)
{
	return r3 ? 0 : ptr_to_u64(map_ring_reserve(u64_to_ptr(r1), r2));
}

HELPER_BODY(ringbuf_submit)
{
	map_ring_submit(u64_to_ptr(r1), r2);
	return 0;
}

HELPER_BODY(ringbuf_discard)
{
	map_ring_discard(u64_to_ptr(r1), r2);
	return 0;
}

HELPER_BODY(ringbuf_query)
{
	return map_ring_query(u64_to_ptr(r1), r2);
}
