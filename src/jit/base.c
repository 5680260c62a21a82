/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/base.h"
#include "base/error.h"
#include "jit/code_memory.h"
#include "jit/runtime.h"
#include "jit/unwind.h"
#include "run/extension.h"
#include "run/native.h"
#include "run/run.h"

#include <errno.h>

const u8 base_reg[MAX_BPF_REG + 1] = {RAX, RDI, RSI, RDX, RCX, R8,
				      RBX, R13, R14, R15, RBP, R9};

#define REGS_KEPT_BY_C 5

static const u8 kept_by_c[REGS_KEPT_BY_C] = {RBX, R12, R13, R14, R15};

/* --- what stands before the program --- */

/* u64 enter(args, exec, target): from C into a subprogram. Where the subprogram returns to. */
static u32 enter_stub(struct base *base, struct unwind_function *frame)
{
	static const u8 argument[] = {RDI, RSI, RDX, RCX, R8};
	const struct x86_mem native_sp = x86_at(REG_EXEC, offsetof(struct executor, native_sp));
	struct emit *emit = &base->emit;
	u32 back;

	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	for (u32 i = 0; i < REGS_KEPT_BY_C; i++)
		x86_push(emit, kept_by_c[i]);
	*frame = (struct unwind_function){
		.saved_by = emit_offset(emit), .saved_cnt = REGS_KEPT_BY_C, .first_saved = -8};
	memcpy(frame->saved, kept_by_c, sizeof(kept_by_c));
	base_move(base, W64, REG_EXEC, RSI);
	base_move(base, W64, R10, RDX);
	base_move(base, W64, R11, RDI);
	for (u32 i = 0; i < ARRAY_SIZE(argument); i++)
		x86_rm(emit, x86_load, W64, argument[i], x86_at(R11, 8 * (s32)i));
	/* One word more, which aligns the stack: what enters inside of it comes back to it. */
	x86_rm(emit, x86_load, W64, R11, native_sp);
	x86_push(emit, R11);
	x86_rm(emit, x86_store, W64, RSP, native_sp);
	x86_rr(emit, x86_call, W64, 0, R10);
	back = emit_offset(emit);
	x86_pop(emit, R11);
	x86_rm(emit, x86_store, W64, R11, native_sp);
	for (u32 i = REGS_KEPT_BY_C; i-- > 0;)
		x86_pop(emit, kept_by_c[i]);
	x86_pop(emit, RBP);
	x86_ret(emit);
	frame->end = emit_offset(emit);
	return back;
}

/* Where a run that has to end comes from wherever it is, with what is left of its fuel at hand
 * or not: out of all frames, with 1. */
static void stop_stub(struct base *base, u32 back)
{
	struct emit *emit = &base->emit;
	u32 jump;

	base->stop = emit_offset(emit);
	x86_rm(emit, x86_store_imm, W64, 0, x86_at(REG_EXEC, offsetof(struct executor, fuel)));
	emit32(emit, UINT32_MAX);
	x86_rm(emit, x86_load, W64, RSP,
	       x86_at(REG_EXEC, offsetof(struct executor, native_sp)));
	x86_mov_imm(emit, RAX, 1);
	jump = x86_jmp32(emit);
	x86_aim(emit, jump, back);
}

/* u64 run(ctx, exec): from C into the program, of which nothing comes back from elsewhere. */
static void run_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit),
					  .saved_cnt = 1,
					  .saved = {REG_EXEC},
					  .first_saved = -8};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	/* The second time for the stack's alignment. */
	x86_push(emit, REG_EXEC);
	x86_push(emit, REG_EXEC);
	frame->saved_by = emit_offset(emit) - frame->start;
	base_move(base, W64, REG_EXEC, RSI);
	base_call_subprog(base, 0);
	x86_pop(emit, REG_EXEC);
	x86_pop(emit, REG_EXEC);
	x86_pop(emit, RBP);
	x86_ret(emit);
	frame->end = emit_offset(emit);
}

/* Where a tail call to a program without machine code jumps: r1 is its context. */
static void interpret_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	base_move(base, W64, RSI, REG_EXEC);
	base_call(base, runtime_interpret);
	x86_pop(emit, RBP);
	x86_ret(emit);
	frame->end = emit_offset(emit);
}

/* --- instructions --- */

static u32 registers_of(const struct base *base, const struct subprog *subprog)
{
	u32 used = 0;

	for (u32 at = subprog->start; at < subprog->end; at++)
		used |= 1u << base->code->insns[at].dst | 1u << base->code->insns[at].src;
	return used;
}

/* Where a call goes whose function is replaced: the extension is in r11. */
static void extension_stub(struct base *base, struct unwind_function *frame)
{
	static const u8 argument[] = {R8, RCX, RDX, RSI, RDI};
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	x86_push(emit, RAX); /* aligns the stack */
	for (u32 i = 0; i < ARRAY_SIZE(argument); i++)
		x86_push(emit, argument[i]);
	base_move(base, W64, RDX, RSP);
	base_move(base, W64, RSI, R11);
	base_move(base, W64, RDI, REG_EXEC);
	base_call(base, extension_run);
	x86_leave(emit);
	x86_ret(emit);
	frame->end = emit_offset(emit);
}

#define STUBS 4

struct unwind_function *base_frame_of(struct base *base, u32 index)
{
	return &base->frames[STUBS + index];
}

void base_begin(struct base *base, u32 index)
{
	base->entry[index] = emit_offset(&base->emit);
	*base_frame_of(base, index) = (struct unwind_function){.start = base->entry[index]};
	base_place(base, base->verified->subprogs[index].start);
}

struct base_mark base_mark(const struct base *base)
{
	return (struct base_mark){emit_offset(&base->emit), base->calls.count,
				  base->pool_uses.count, base->places.count};
}

void base_back(struct base *base, const struct base_mark *mark)
{
	base->emit.at = base->emit.start + mark->offset;
	base->calls.count = mark->calls;
	base->pool_uses.count = mark->pool_uses;
	base->places.count = mark->places;
}

void base_place(struct base *base, u32 at)
{
	const struct base_fixups *places = &base->places;
	const u32 offset = emit_offset(&base->emit);

	if (places->count && places->list[places->count - 1].target == at)
		return;
	if (places->count && places->list[places->count - 1].at == offset)
		places->list[places->count - 1].target = at;
	else
		base_add(base, &base->places, offset, at);
}

static void begin_subprog(struct base *base, u32 index)
{
	struct unwind_function *frame = base_frame_of(base, index);

	base->subprog = &base->verified->subprogs[index];
	base->used = registers_of(base, base->subprog);
	base_begin(base, index);
	base_prologue(base);
	frame->saved_by = emit_offset(&base->emit) - frame->start;
	base_frame(base, frame);
}

#define LOAD_u8	 x86_movzx8, W32
#define LOAD_u16 x86_movzx16, W32
#define LOAD_u32 x86_load, W32
#define LOAD_u64 x86_load, W64
#define LOAD_s8	 x86_movsx8, W64
#define LOAD_s16 x86_movsx16, W64
#define LOAD_s32 x86_movsxd, W64

enum {
	TAKEN_jeq = CC_E,
	TAKEN_jne = CC_NE,
	TAKEN_jgt = CC_A,
	TAKEN_jge = CC_AE,
	TAKEN_jlt = CC_B,
	TAKEN_jle = CC_BE,
	TAKEN_jset = CC_NE,
	TAKEN_jsgt = CC_G,
	TAKEN_jsge = CC_GE,
	TAKEN_jslt = CC_L,
	TAKEN_jsle = CC_LE,
};

/* Whether the instruction has a constant as its second operand, and which. */
static bool constant_of(const struct code_insn *insn, u64 *out)
{
	switch ((u32)insn->op) {
#define ALU(name, ...)                                              \
	case OP_##name##64_k: *out = (u64)insn->imm; return true;   \
	case OP_##name##32_k: *out = (u32)insn->imm; return true;
#define JUMP(name, ...)                                                    \
	case OP_##name##64_k: *out = (u64)(s64)insn->operand; return true; \
	case OP_##name##32_k: *out = (u32)insn->operand; return true;
#define STORE(bits, ...)       \
	case OP_st##bits: *out = (u64)insn->imm; return true;
#include "run/ops.def"
	default: return false;
	}
}

static u16 op_with_register(u16 op)
{
	switch ((u32)op) {
#define ALU(name, ...)                                    \
	case OP_##name##64_k: return OP_##name##64_x;     \
	case OP_##name##32_k: return OP_##name##32_x;
#define JUMP ALU
#define STORE(bits, ...) \
	case OP_st##bits: return OP_stx##bits;
#include "run/ops.def"
	default: return op;
	}
}

/* The instruction with its constant in a register, when it must not be seen. */
static struct code_insn seen(struct base *base, u32 at)
{
	struct code_insn insn = base->code->insns[at];
	u64 value;

	if (!base->is_blinded || !constant_of(&insn, &value) || !base_blinds(base, value))
		return insn;
	base_load_const(base, base_reg[BASE_CONSTANT], value, R11);
	insn.op = op_with_register(insn.op);
	insn.src = BASE_CONSTANT;
	return insn;
}

static void translate(struct base *base, u32 at)
{
	const struct code_insn visible = seen(base, at), *insn = &visible;

	switch ((enum code_op)insn->op) {
#define ALU(name, ...)                                                              \
	case OP_##name##64_k: base_alu(base, insn, ALU_##name, W64, false); return; \
	case OP_##name##64_x: base_alu(base, insn, ALU_##name, W64, true); return;  \
	case OP_##name##32_k: base_alu(base, insn, ALU_##name, W32, false); return; \
	case OP_##name##32_x:                                                       \
		base_alu(base, insn, ALU_##name, W32, true);                        \
		return;
#define UNARY(name, ...)                 \
	case OP_##name:                  \
		base_##name(base, insn); \
		return;
#define JUMP_FORM(form, name, op, width, is_reg)                                            \
	case form:                                                                          \
		base_jump(base, at, insn,                                                   \
			  &(struct base_condition){(enum x86_condition)TAKEN_##name, width, \
						   (op) == BPF_JSET, is_reg});              \
		return;
#define JUMP(name, op, condition)                        \
	JUMP_FORM(OP_##name##64_k, name, op, W64, false) \
	JUMP_FORM(OP_##name##64_x, name, op, W64, true)  \
	JUMP_FORM(OP_##name##32_k, name, op, W32, false) \
	JUMP_FORM(OP_##name##32_x, name, op, W32, true)
#define LOAD(name, mode, size, type)                \
	case OP_##name:                             \
		base_load(base, insn, LOAD_##type); \
		return;
#define STORE(bits, ...)                                             \
	case OP_stx##bits: base_store_reg(base, insn, bits); return; \
	case OP_st##bits:                                            \
		base_store_imm(base, insn, bits);                    \
		return;
#define ATOMIC_FORM(name, bits)                                                  \
	case OP_##name##_mem##bits:                                              \
		base_atomic(base, insn, x86_##name##_store, W##bits);            \
		return;                                                          \
	case OP_fetch_##name##bits:                                              \
		base_fetch(base, insn, ALU_##name, x86_##name##_store, W##bits); \
		return;
#define ATOMIC(name, ...)     \
	ATOMIC_FORM(name, 64) \
	ATOMIC_FORM(name, 32)
#define CONTROL(name)                  \
	case OP_##name:                \
		base_##name(base, at); \
		return;
#include "run/ops.def"
	case CODE_OPS: return;
	}
}

static int translate_subprog(struct base *base, u32 index)
{
	const struct subprog *subprog = &base->verified->subprogs[index];

	if (emit_reserve(&base->emit))
		return -ENOMEM;
	begin_subprog(base, index);
	for (u32 at = subprog->start; at < subprog->end; at++) {
		if (emit_reserve(&base->emit))
			return -ENOMEM;
		base->offset[at] = emit_offset(&base->emit);
		base_place(base, at);
		if (code_round(base->code, at))
			base_round(base, at);
		if (code_needs_barrier(base->code, at))
			x86_lfence(&base->emit);
		translate(base, at);
	}
	return base->err;
}

/* --- the whole --- */

static void land(struct base *base, const struct base_fixups *fixups, const u32 *targets)
{
	for (u32 i = 0; i < fixups->count; i++)
		x86_aim(&base->emit, fixups->list[i].at, targets[fixups->list[i].target]);
}

/* The pool follows the code. */
static int add_pool(struct base *base)
{
	u32 *place = arena_array(&base->arena, base->pool_cnt + 1, sizeof(*place));

	if (!place)
		return -ENOMEM;
	while (emit_offset(&base->emit) % sizeof(u64))
		emit8(&base->emit, 0xcc);
	for (u32 i = 0; i < base->pool_cnt; i++) {
		if (emit_reserve(&base->emit))
			return -ENOMEM;
		place[i] = emit_offset(&base->emit);
		emit64(&base->emit, base->pool[i]);
	}
	land(base, &base->pool_uses, place);
	return 0;
}

/* The records of the unwinder follow the pool. */
static int add_frames(struct base *base)
{
	const u32 common = emit_offset(&base->emit);
	int err = unwind_begin(&base->emit);

	for (u32 i = 0; !err && i < STUBS + base->verified->subprog_cnt; i++)
		err = unwind_add(&base->emit, common, &base->frames[i]);
	return err ?: unwind_end(&base->emit);
}

static int prepare(struct base *base, const struct prog *prog)
{
	const struct verified *verified = prog->verified;
	const u32 subprogs = verified->subprog_cnt;

	arena_init(&base->arena);
	base->prog = prog;
	base->code = prog->code;
	base->verified = verified;
	base->has_fuel = verified->flags & VERIFY_FUEL;
	base->is_blinded = prog->is_blinded;
	base_blind_init(base);
	base->offset = arena_array(&base->arena, verified->insn_cnt + 1, sizeof(*base->offset));
	base->entry = arena_array(&base->arena, subprogs, sizeof(*base->entry));
	base->frames = arena_array(&base->arena, STUBS + subprogs, sizeof(*base->frames));
	return base->offset && base->entry && base->frames && !emit_reserve(&base->emit)
		       ? 0
		       : -ENOMEM;
}

/* Offsets of what else is in the machine code. */
struct base_layout {
	u32 interpret; /* the stub of tail calls */
	u32 run;       /* likewise, or the program itself */
	u32 end;       /* of the program */
	u32 frames;    /* the records of the unwinder */
};

static int translate_all(struct base *base, struct base_layout *layout,
			 int (*translate_one)(struct base *base, u32 index))
{
	int err = 0;

	stop_stub(base, enter_stub(base, &base->frames[0]));
	layout->interpret = emit_offset(&base->emit);
	interpret_stub(base, &base->frames[1]);
	base->extension = emit_offset(&base->emit);
	extension_stub(base, &base->frames[2]);
	layout->run = emit_offset(&base->emit);
	run_stub(base, &base->frames[3]);
	base->emit.registers = 0;
	for (u32 i = 0; !err && i < base->verified->subprog_cnt; i++) {
		err = translate_one(base, i) ?: base->err;
		base_frame_of(base, i)->end = emit_offset(&base->emit);
	}
	if (err)
		return err;
	/* Code that never asks for the executor is entered without one. */
	if (!(base->emit.registers & 1u << REG_EXEC))
		layout->run = base->entry[0];
	layout->end = emit_offset(&base->emit);
	land(base, &base->jumps, base->offset);
	land(base, &base->calls, base->entry);
	err = add_pool(base);
	layout->frames = emit_offset(&base->emit);
	return err ?: add_frames(base);
}

/* Whether a run leaves the executor, and what it knows of the run, as they were. */
static bool leaves_no_trace(const struct base *base)
{
	if (base->has_fuel || base->verified->has_tail_call)
		return false;
	for (u32 i = 0; i < base->code->insn_cnt; i++)
		if (base->code->insns[i].op == OP_may_goto ||
		    base->code->insns[i].op == OP_call_global)
			return false;
	return true;
}

struct placed {
	struct code_memory memory;
	struct native_place *places;
	struct native native;
};

static void placed_free(struct native *native)
{
	struct placed *placed = container_of(native, struct placed, native);

	if (native->gone)
		native->gone(native);
	unwind_unregister(placed->memory.base + native->frames);
	code_memory_free(&placed->memory);
	free(placed->places);
	free(placed);
}

static int copy_places(const struct base *base, struct placed *placed)
{
	const u32 count = base->places.count;

	placed->places = calloc(count + 1, sizeof(*placed->places));
	if (!placed->places)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++)
		placed->places[i] = (struct native_place){base->places.list[i].at,
							  base->places.list[i].target};
	placed->native.places = placed->places;
	placed->native.place_cnt = count;
	return 0;
}

static int place(const struct base *base, const struct base_layout *layout, struct native **out)
{
	const u32 subprogs = base->verified->subprog_cnt, size = emit_offset(&base->emit);
	struct placed *placed =
		calloc(1, sizeof(*placed) + subprogs * sizeof(placed->native.entry[0]));
	struct native *native;
	const u8 *code;
	int err;

	if (!placed)
		return -ENOMEM;
	err = copy_places(base, placed) ?: code_memory_new(base->emit.start, size, &placed->memory);
	if (err) {
		free(placed->places);
		free(placed);
		return err;
	}
	native = &placed->native;
	code = placed->memory.base;
	native->enter = (native_enter *)code;
	native->run = base->has_fuel ? NULL : (native_run *)(code + layout->run);
	native->leaves_no_trace = leaves_no_trace(base);
	native->interpret = code + layout->interpret;
	native->end = code + layout->end;
	native->free = placed_free;
	for (u32 i = 0; i < subprogs; i++)
		native->entry[i] = code + base->entry[i];
	native->frames = layout->frames;
	native->size = size;
	unwind_register(code + layout->frames);
	*out = native;
	return 0;
}

int base_compile_with(const struct prog *prog, int (*translate_one)(struct base *base, u32 index),
		      void *cookie, struct native **out)
{
	struct base base = {.cookie = cookie};
	struct base_layout layout;
	int err = prepare(&base, prog);

	if (!err)
		err = translate_all(&base, &layout, translate_one);
	if (!err)
		err = place(&base, &layout, out);
	free(base.emit.start);
	free(base.jumps.list);
	free(base.calls.list);
	free(base.pool_uses.list);
	free(base.places.list);
	free(base.pool);
	arena_done(&base.arena);
	return err;
}

int base_compile(const struct prog *prog, struct native **out)
{
	return base_compile_with(prog, translate_subprog, NULL, out);
}
