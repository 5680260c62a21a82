/* SPDX-License-Identifier: BSD-2-Clause */
/* Tail calls: out of the frame and into the next program. What the machine code cannot decide by
 * itself, the run time does. */
#include "jit/tail_call.h"
#include "jit/runtime.h"
#include "map/map.h"
#include "run/native.h"
#include "run/run.h"

#include <stddef.h>

struct exits {
	u32 nowhere[3]; /* on to the next instruction */
	u32 unknown;	/* to the run time: the program has no machine code */
};

/* With the map at hand: rax becomes the program, r11 its machine code. */
static struct exits find(struct base *base, const struct map_progs *progs)
{
	struct emit *emit = &base->emit;
	const struct x86_mem calls = x86_at(R10, offsetof(struct run_context, tail_calls));
	struct x86_mem entry = x86_at(R11, 0);
	struct exits exits;

	entry.index = RDX;
	entry.scale = 3;
	base_load_run(base, R10);
	base_move(base, W32, RDX, RDX);
	x86_rr(emit, x86_cmp_imm32, W32, 0, RDX);
	emit32(emit, progs->count);
	exits.nowhere[0] = x86_jcc32(emit, CC_AE);
	x86_rm(emit, x86_cmp_imm8, W32, 0, calls);
	emit8(emit, TAIL_CALLS_MAX);
	exits.nowhere[1] = x86_jcc32(emit, CC_AE);
	x86_mov_imm(emit, R11, ptr_to_u64(progs->objects));
	x86_rm(emit, x86_load, W64, RAX, entry);
	x86_rr(emit, x86_test, W64, RAX, RAX);
	exits.nowhere[2] = x86_jcc32(emit, CC_E);
	x86_rm(emit, x86_load, W64, R11, x86_at(RAX, offsetof(struct prog, native)));
	x86_rr(emit, x86_test, W64, R11, R11);
	exits.unknown = x86_jcc32(emit, CC_E);
	x86_rm(emit, x86_add_imm8, W32, 0, calls);
	emit8(emit, 1);
	x86_rm(emit, x86_store, W64, RAX, x86_at(R10, offsetof(struct run_context, prog)));
	return exits;
}

/* r1 waits on the stack; two words, so that it stays aligned. The jump of a call that goes
 * nowhere. */
static u32 ask_run_time(struct base *base)
{
	struct emit *emit = &base->emit;

	x86_push(emit, RDI);
	x86_push(emit, RDI);
	base_move(base, W64, RDI, REG_EXEC);
	base_call(base, runtime_tail_call);
	x86_pop(emit, RDI);
	x86_pop(emit, RDI);
	x86_rr(emit, x86_test, W64, RAX, RAX);
	return x86_jcc32(emit, CC_E);
}

void tail_call(struct base *base, const struct map *map, void (*leave)(void *cookie), void *cookie)
{
	struct emit *emit = &base->emit;
	struct map_progs progs;
	const bool is_known = map && map_progs(map, &progs);
	struct exits exits;
	u32 nowhere;

	if (is_known) {
		exits = find(base, &progs);
		leave(cookie);
		x86_rm(emit, x86_jmp, W64, 0, x86_at(R11, offsetof(struct native, entry)));
		x86_aim(emit, exits.unknown, emit_offset(emit));
	}
	nowhere = ask_run_time(base);
	leave(cookie);
	x86_rr(emit, x86_jmp, W64, 0, RAX);
	x86_aim(emit, nowhere, emit_offset(emit));
	for (u32 i = 0; is_known && i < ARRAY_SIZE(exits.nowhere); i++)
		x86_aim(emit, exits.nowhere[i], emit_offset(emit));
}
