/* SPDX-License-Identifier: BSD-2-Clause */
/* The interpreter that believes nothing: each step is checked (checker.h). */
#include "run/checker.h"

#define INTERPRET    interpret_checked
#define NEXT_HANDLER (handlers[checked_op(exec, pc, reg)])
#define STOP_UNLESS(check)         \
	do {                       \
		if (!(check))      \
			goto stop; \
	} while (0)
#define ACCESS(address, size, write) \
	STOP_UNLESS(checked_access(exec, pc, reg, address, size, write))
#define ATOMIC_ACCESS(address, size) STOP_UNLESS(checked_atomic(exec, pc, reg, address, size))
#define JUMP_TAKEN(taken)	     STOP_UNLESS(checked_branch(exec, pc, taken))
#define ROUND			     FUEL_BEFORE_ROUND
#define CALLED(length)		     FUEL_AFTER_CALL(length)
#define FRAME_CHECK		     STOP_UNLESS(checked_frame(exec, pc, reg, frame))
#define PACKET_CHECK		     STOP_UNLESS(checked_packet(exec, pc, reg[BPF_REG_6]))
#define AFTER_HELPER                                                         \
	do {                                                                 \
		STOP_UNLESS(!exec->checker->found.kind); /* in a callback */ \
		checked_helper_result(exec, pc, reg[BPF_REG_0]);             \
	} while (0)
#define MASK_CHECK(offset, masked) STOP_UNLESS(checked_mask(exec, pc, offset, masked))
#define DEAD_CODE		   goto stop
#define STOP_LABEL \
stop:              \
	return 0;
#include "run/interpreter.h"
