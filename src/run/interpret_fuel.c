/* SPDX-License-Identifier: BSD-2-Clause */
/* The interpreter for verified programs whose runs are limited: as the fast one, and it counts.
 */
#include "run/fused.h"

#define INTERPRET		     interpret_fuel
#define NEXT_HANDLER		     (pc->handler)
#define ACCESS(address, size, write) (void)0
#define ATOMIC_ACCESS(address, size) (void)0
#define JUMP_TAKEN(taken)	     (void)0
#define ROUND			     FUEL_BEFORE_ROUND
#define CALLED(length)		     FUEL_AFTER_CALL(length)
#define FRAME_CHECK		     (void)0
#define PACKET_CHECK		     (void)0
#define AFTER_HELPER		     (void)0
#define MASK_CHECK(offset, masked)   (void)0
#define DEAD_CODE		     (void)0
#define STOP_LABEL \
stop:              \
	return 1;
#include "run/interpreter.h"

const void *const *interpret_fuel_handlers(void)
{
	return u64_to_ptr(interpret_fuel(NULL, NULL, 0, NULL));
}
