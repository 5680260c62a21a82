/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: C functions that machine code calls. */
#ifndef SKEP_JIT_RUNTIME_H
#define SKEP_JIT_RUNTIME_H

#include "run/code.h"

struct packet_word {
	u64 value;
	u64 is_there; /* 0: the packet has no such bytes */
};

struct packet_word runtime_packet_load(const struct executor *exec, const void *ctx, s32 offset,
				       u32 bytes);
/* Where the tail call goes on, which is the run's program from now on; NULL: nowhere. */
const void *runtime_tail_call(struct executor *exec, u64 map, u64 index);
/* Runs the run's program from its start in the interpreter. */
u64 runtime_interpret(u64 ctx, struct executor *exec);

#endif
