/* SPDX-License-Identifier: BSD-2-Clause */
/* Tail calls on arm64 (tail_call.h): r1 to r3 are in x0 to x2. */
#include "jit/arm64_base.h"
#include "jit/runtime.h"
#include "jit/tail_call.h"
#include "jit/unwind.h"
#include "map/map.h"
#include "run/native.h"
#include "run/run.h"

#include <stddef.h>

struct exits {
	u32 nowhere[3], nowhere_cnt; /* on to the next instruction */
	u32 unknown; /* to the run time: the program has no machine code */
};

/* With the map at hand: S2 becomes the program's machine code. */
static struct exits find(struct base *base, const struct tail_call *call,
			 const struct map_progs *progs)
{
	struct emit *emit = &base->emit;
	const struct a64_mem calls = a64_at(S3, offsetof(struct run_context, tail_calls));
	struct a64_mem entry = a64_at(S1, 0);
	struct exits exits = {0};

	base_load_run(base, S3);
	if (!call->has_index) {
		a64_mov(emit, W32, X2, X2);
		arm64_compare_const(emit, W32, X2, progs->count, S1);
		exits.nowhere[exits.nowhere_cnt++] = a64_near(emit, A64_HS);
		entry = (struct a64_mem){S1, X2, 3, 0};
	}
	a64_access(emit, a64_load32, S4, calls, S1);
	arm64_compare_const(emit, W32, S4, TAIL_CALLS_MAX, S1);
	exits.nowhere[exits.nowhere_cnt++] = a64_near(emit, A64_HS);
	a64_mov_imm(emit, S1, ptr_to_u64(progs->objects + call->index));
	a64_memory(emit, a64_load64, S1, entry);
	exits.nowhere[exits.nowhere_cnt++] = a64_near_reg(emit, a64_cbz, W64, S1);
	/* Acquire: partner of the exchange in sys/compile.c. */
	a64_add_number(emit, S2, S1, offsetof(struct prog, native));
	a64_ordered(emit, a64_ldar, 3, S2, S2);
	exits.unknown = a64_near_reg(emit, a64_cbz, W64, S2);
	a64_imm12(emit, a64_add_imm, W32, S4, S4, 1);
	a64_access(emit, a64_store32, S4, calls, X3);
	a64_access(emit, a64_store64, S1, a64_at(S3, offsetof(struct run_context, prog)), X3);
	return exits;
}

/* The jump of a call that goes nowhere; S2: where it goes. */
static u32 ask_run_time(struct base *base)
{
	struct emit *emit = &base->emit;

	base_aim(base, a64_far(emit, a64_bl), base->ask);
	return a64_near_reg(emit, a64_cbz, W64, S2);
}

void base_ask_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	a64_pair(emit, a64_stp_pre, X29, X30, SP, -16);
	a64_imm12(emit, a64_add_imm, W64, X29, SP, 0);
	a64_pair(emit, a64_stp_pre, X0, X1, SP, -16);
	a64_mov(emit, W64, X0, REG_EXEC);
	base_call(base, runtime_tail_call);
	a64_mov(emit, W64, S2, X0);
	a64_pair(emit, a64_ldp_post, X0, X1, SP, 16);
	a64_pair(emit, a64_ldp_post, X29, X30, SP, 16);
	a64_reg(emit, a64_ret, X30);
	frame->end = emit_offset(emit);
}

void tail_call(struct base *base, const struct tail_call *call)
{
	struct emit *emit = &base->emit;
	struct exits exits = {0};
	struct map_progs progs;
	u32 nowhere;

	if (call->map && map_progs(call->map, &progs)) {
		if (call->has_index && call->index >= progs.count)
			return;
		exits = find(base, call, &progs);
		call->leave(call->cookie);
		a64_access(emit, a64_load64, S2, a64_at(S2, offsetof(struct native, entry)), S1);
		a64_reg(emit, a64_br, S2);
		a64_land(emit, exits.unknown);
	}
	if (call->has_index) {
		a64_mov_imm(emit, X1, ptr_to_u64(call->map));
		a64_mov_imm(emit, X2, call->index);
	}
	nowhere = ask_run_time(base);
	call->leave(call->cookie);
	a64_reg(emit, a64_br, S2);
	a64_land(emit, nowhere);
	for (u32 i = 0; i < exits.nowhere_cnt; i++)
		a64_land(emit, exits.nowhere[i]);
}
