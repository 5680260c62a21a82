/* SPDX-License-Identifier: BSD-2-Clause */
/* Tail calls: out of the frame and into the next program. What the machine code cannot decide by
 * itself, the run time does. */
#include "jit/tail_call.h"
#include "jit/runtime.h"
#include "jit/unwind.h"
#include "map/map.h"
#include "run/native.h"
#include "run/run.h"

#include <stddef.h>

struct exits {
	u32 nowhere[3], nowhere_cnt; /* on to the next instruction */
	u32 unknown; /* to the run time: the program has no machine code */
};

/* With the map at hand: rax becomes the program, r11 its machine code. */
static struct exits find(struct base *base, const struct tail_call *call,
			 const struct map_progs *progs)
{
	struct emit *emit = &base->emit;
	const struct x86_mem calls = x86_at(R10, offsetof(struct run_context, tail_calls));
	struct x86_mem entry = x86_at(R11, 0);
	struct exits exits = {0};

	base_load_run(base, R10);
	if (!call->has_index) {
		base_move(base, W32, RDX, RDX);
		x86_rr(emit, x86_cmp_imm32, W32, 0, RDX);
		emit32(emit, progs->count);
		exits.nowhere[exits.nowhere_cnt++] = x86_jcc32(emit, CC_AE);
		entry.index = RDX;
		entry.scale = 3;
	}
	x86_rm(emit, x86_cmp_imm8, W32, 0, calls);
	emit8(emit, TAIL_CALLS_MAX);
	exits.nowhere[exits.nowhere_cnt++] = x86_jcc32(emit, CC_AE);
	x86_mov_imm(emit, R11, ptr_to_u64(progs->objects + call->index));
	x86_rm(emit, x86_load, W64, RAX, entry);
	x86_rr(emit, x86_test, W64, RAX, RAX);
	exits.nowhere[exits.nowhere_cnt++] = x86_jcc32(emit, CC_E);
	x86_rm(emit, x86_load, W64, R11, x86_at(RAX, offsetof(struct prog, native)));
	x86_rr(emit, x86_test, W64, R11, R11);
	exits.unknown = x86_jcc32(emit, CC_E);
	x86_rm(emit, x86_add_imm8, W32, 0, calls);
	emit8(emit, 1);
	x86_rm(emit, x86_store, W64, RAX, x86_at(R10, offsetof(struct run_context, prog)));
	return exits;
}

/* The jump of a call that goes nowhere. */
static u32 ask_run_time(struct base *base)
{
	struct emit *emit = &base->emit;

	x86_aim(emit, x86_call32(emit), base->ask);
	emit->registers |= 1u << REG_EXEC; /* by what stands there */
	x86_rr(emit, x86_test, W64, RAX, RAX);
	return x86_jcc32(emit, CC_E);
}

void base_ask_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	x86_push(emit, RDI);
	/* Callers may have no frame, so nothing is known of the stack's alignment. */
	x86_rr(emit, x86_and_imm8, W64, 0, RSP);
	emit8(emit, (u8)-16);
	base_move(base, W64, RDI, REG_EXEC);
	base_call(base, runtime_tail_call);
	x86_rm(emit, x86_load, W64, RDI, x86_at(RBP, -8));
	x86_leave(emit);
	x86_ret(emit);
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
		x86_rm(emit, x86_jmp, W64, 0, x86_at(R11, offsetof(struct native, entry)));
		x86_aim(emit, exits.unknown, emit_offset(emit));
	}
	if (call->has_index) {
		x86_mov_imm(emit, RSI, ptr_to_u64(call->map));
		x86_mov_imm(emit, RDX, call->index);
	}
	nowhere = ask_run_time(base);
	call->leave(call->cookie);
	x86_rr(emit, x86_jmp, W64, 0, RAX);
	x86_aim(emit, nowhere, emit_offset(emit));
	for (u32 i = 0; i < exits.nowhere_cnt; i++)
		x86_aim(emit, exits.nowhere[i], emit_offset(emit));
}
