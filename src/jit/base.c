/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/base.h"
#include "base/error.h"
#include "jit/code_memory.h"
#include "jit/unwind.h"
#include "run/native.h"
#include "run/run.h"

#include <errno.h>

/* Machine code of most programs' instructions. */
#define BYTES_PER_INSN 5

/* Programs of more instructions may become so much code that short jumps do not reach. */
#define LARGE 16384

/* --- what grows --- */

/* False: out of memory. */
static bool grow(struct base *base, void **list, u32 used, u32 *room, size_t size)
{
	void *grown;

	if (used < *room)
		return true;
	grown = realloc(*list, (2 * *room + 64) * size);
	if (!grown) {
		base->err = -ENOMEM;
		return false;
	}
	*list = grown;
	*room = 2 * *room + 64;
	return true;
}

void base_add(struct base *base, struct base_fixups *fixups, u32 at, u32 target)
{
	if (grow(base, (void **)&fixups->list, fixups->count, &fixups->room,
		 sizeof(*fixups->list)))
		fixups->list[fixups->count++] = (struct base_fixup){at, target};
}

u32 base_pool_entry(struct base *base, u64 address)
{
	u32 entry = 0;

	while (entry < base->pool_cnt && base->pool[entry] != address)
		entry++;
	if (entry < base->pool_cnt)
		return entry;
	if (!grow(base, (void **)&base->pool, entry, &base->pool_room, sizeof(*base->pool)))
		return 0;
	base->pool[base->pool_cnt++] = address;
	return entry;
}

void base_aim(struct base *base, u32 at, u32 target)
{
	if (!machine_aim(&base->emit, at, target))
		base->err = -EOPNOTSUPP;
}

/* --- instructions --- */

static u32 registers_of(const struct base *base, const struct subprog *subprog)
{
	u32 used = 0;

	for (u32 at = subprog->start; at < subprog->end; at++)
		used |= 1u << base->code->insns[at].dst | 1u << base->code->insns[at].src;
	return used;
}

struct unwind_function *base_frame_of(struct base *base, u32 index)
{
	return &base->frames[BASE_STUBS + index];
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
	base_load_const(base, base_reg[BASE_CONSTANT], value, MACHINE_SCRATCH);
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
			  &(struct base_condition){(machine_condition)TAKEN_##name, width, \
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
		base_atomic(base, insn, ATOMIC_OP(name), W##bits);            \
		return;                                                          \
	case OP_fetch_##name##bits:                                              \
		base_fetch(base, insn, ALU_##name, ATOMIC_OP(name), W##bits); \
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
			machine_barrier(&base->emit);
		translate(base, at);
	}
	return base->err;
}

/* --- the whole --- */

static void land(struct base *base, const struct base_fixups *fixups, const u32 *targets)
{
	for (u32 i = 0; i < fixups->count; i++)
		base_aim(base, fixups->list[i].at, targets[fixups->list[i].target]);
}

/* The pool follows the code. */
static int add_pool(struct base *base)
{
	u32 *place = arena_array(&base->arena, base->pool_cnt + 1, sizeof(*place));

	if (!place)
		return -ENOMEM;
	while (emit_offset(&base->emit) % sizeof(u64))
		emit8(&base->emit, MACHINE_PADDING);
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

	for (u32 i = 0; !err && i < BASE_STUBS + base->verified->subprog_cnt; i++)
		if (base->frames[i].end)
			err = unwind_add(&base->emit, common, &base->frames[i]);
	return err ?: unwind_end(&base->emit);
}

/* What most programs need, so that little is copied while it grows. */
static bool make_room(struct base *base, u32 insns)
{
	base->places.room = insns + 1;
	base->places.list = malloc(base->places.room * sizeof(*base->places.list));
	return base->places.list && !emit_grow(&base->emit, (size_t)BYTES_PER_INSN * insns);
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
	base->is_large = verified->insn_cnt > LARGE;
	base_blind_init(base);
	base->offset = arena_array(&base->arena, verified->insn_cnt + 1, sizeof(*base->offset));
	base->entry = arena_array(&base->arena, subprogs, sizeof(*base->entry));
	base->frames = arena_array(&base->arena, BASE_STUBS + subprogs, sizeof(*base->frames));
	return base->offset && base->entry && base->frames && make_room(base, verified->insn_cnt)
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

	base_enter_stub(base, &base->frames[0]);
	layout->interpret = emit_offset(&base->emit);
	base_interpret_stub(base, &base->frames[1]);
	base->extension = emit_offset(&base->emit);
	base_extension_stub(base, &base->frames[2]);
	base->ask = emit_offset(&base->emit);
	if (base->verified->has_tail_call)
		base_ask_stub(base, &base->frames[4]);
	layout->run = emit_offset(&base->emit);
	base_run_stub(base, &base->frames[3]);
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
	err = base->err ?: add_pool(base) ?: base->err;
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
