/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/arm64.h"

#define A64(shape, name, opcode) const struct a64_op a64_##name = {opcode};
#include "jit/arm64.def"

enum { SF = 31, N = 22, RM = 16, RA = 10, RN = 5 };

static u32 sf(enum a64_width width)
{
	return (u32)(width == W64) << SF;
}

static u32 regs(struct emit *emit, u8 d, u8 n)
{
	emit->registers |= 1u << d | 1u << n;
	return (u32)n << RN | d;
}

static u32 third(struct emit *emit, u8 m)
{
	emit->registers |= 1u << m;
	return (u32)m << RM;
}

/* --- arithmetic --- */

void a64_rrr_shifted(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m,
		     enum a64_shift shift, u8 amount)
{
	emit32(emit, op.bits | sf(width) | (u32)shift << 22 | third(emit, m) | (u32)amount << 10 |
			     regs(emit, d, n));
}

void a64_rrr(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m)
{
	emit32(emit, op.bits | sf(width) | third(emit, m) | regs(emit, d, n));
}

void a64_rrrr(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m, u8 a)
{
	emit32(emit, op.bits | sf(width) | third(emit, m) | (u32)a << RA | regs(emit, d, n));
}

void a64_high(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 m)
{
	emit32(emit, op.bits | third(emit, m) | regs(emit, d, n));
}

void a64_long(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 m, u8 a)
{
	emit32(emit, op.bits | third(emit, m) | (u32)a << RA | regs(emit, d, n));
}

void a64_rr(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n)
{
	emit32(emit, op.bits | sf(width) | regs(emit, d, n));
}

bool a64_is_imm12(u64 imm)
{
	return imm < 1 << 12 || (!(imm & 0xfff) && imm < 1 << 24);
}

void a64_imm12(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u32 imm)
{
	const u32 is_shifted = imm >= 1 << 12;

	emit32(emit, op.bits | sf(width) | is_shifted << 22 |
			     (is_shifted ? imm >> 12 : imm) << 10 | regs(emit, d, n));
}

static u64 rotated(u64 value, u32 by, u32 size)
{
	const u64 mask = size == 64 ? ~0ull : (1ull << size) - 1;

	return by ? (value >> by | value << (size - by)) & mask : value;
}

/* The shortest piece that repeats, as ones which are rotated. */
bool a64_is_pattern(u64 value, enum a64_width width, u32 *out)
{
	u32 size = 64, by, ones;
	u64 mask = ~0ull;

	if (width == W32)
		value = (u32)value | value << 32;
	if (!value || value == ~0ull)
		return false;
	while (size > 2 && rotated(value, size / 2, size) == value) {
		size /= 2;
		mask = (1ull << size) - 1;
		value &= mask;
	}
	if (value & 1) /* its run of ones may begin at the top */
		by = (size - (u32)__builtin_clzll(~(value << (64 - size)))) % size;
	else
		by = (u32)__builtin_ctzll(value);
	value = rotated(value, by, size);
	if (value & (value + 1))
		return false;
	ones = (u32)__builtin_popcountll(value);
	*out = (u32)(size == 64) << 12 | ((size - by) % size) << 6 |
	       ((~(2 * size - 1) & 0x3f) | (ones - 1));
	return true;
}

void a64_logic(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u32 pattern)
{
	emit32(emit, op.bits | sf(width) | pattern << 10 | regs(emit, d, n));
}

void a64_wide(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u16 bits, u8 place)
{
	emit32(emit, op.bits | sf(width) | (u32)place << 21 | (u32)bits << 5 | d);
}

void a64_field(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 r, u8 s)
{
	emit32(emit, op.bits | sf(width) | (u32)(width == W64) << N | (u32)r << 16 |
			     (u32)s << 10 | regs(emit, d, n));
}

void a64_extract(struct emit *emit, enum a64_width width, u8 d, u8 n, u8 m, u8 from)
{
	emit32(emit, a64_extr.bits | sf(width) | (u32)(width == W64) << N | third(emit, m) |
			     (u32)from << 10 | regs(emit, d, n));
}

void a64_choice(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m,
		enum a64_condition condition)
{
	emit32(emit, op.bits | sf(width) | third(emit, m) | (u32)condition << 12 | regs(emit, d, n));
}

/* --- memory --- */

/* What turns the form with an unsigned, scaled displacement into the others. */
#define UNSCALED   0x01000000
#define REGISTER   0x00206800 /* without UNSCALED's bit */
#define BY_SIZE	   0x00001000
#define IMM9_MAX   255
#define IMM9_MIN   (-256)
#define IMM12_ENDS 4096

static u32 size_of(struct a64_op op)
{
	return op.bits >> 30;
}

static bool is_scaled(struct a64_op op, s32 disp)
{
	return disp >= 0 && !(disp & ((1 << size_of(op)) - 1)) &&
	       disp >> size_of(op) < IMM12_ENDS;
}

bool a64_reaches(struct a64_op op, s32 disp)
{
	return is_scaled(op, disp) || (disp >= IMM9_MIN && disp <= IMM9_MAX);
}

void a64_memory(struct emit *emit, struct a64_op op, u8 t, struct a64_mem mem)
{
	u32 bits = op.bits;

	if (mem.index != A64_NO_REG)
		bits = (bits & ~(u32)UNSCALED) | REGISTER | (mem.scale ? BY_SIZE : 0) |
		       third(emit, mem.index);
	else if (is_scaled(op, mem.disp))
		bits |= (u32)mem.disp >> size_of(op) << 10;
	else
		bits = (bits & ~(u32)UNSCALED) | ((u32)mem.disp & 0x1ff) << 12;
	emit32(emit, bits | regs(emit, t, mem.base));
}

void a64_pair(struct emit *emit, struct a64_op op, u8 t, u8 t2, u8 n, s32 disp)
{
	emit32(emit, op.bits | ((u32)(disp / 8) & 0x7f) << 15 | (u32)t2 << 10 | regs(emit, t, n));
}

void a64_atomic(struct emit *emit, struct a64_op op, u8 size, u8 s, u8 t, u8 n)
{
	emit32(emit, op.bits | (u32)size << 30 | third(emit, s) | regs(emit, t, n));
}

void a64_ordered(struct emit *emit, struct a64_op op, u8 size, u8 t, u8 n)
{
	emit32(emit, op.bits | (u32)size << 30 | regs(emit, t, n));
}

void a64_vector(struct emit *emit, struct a64_op op, u8 d, u8 n)
{
	emit32(emit, op.bits | (u32)n << RN | d);
}

void a64_vector3(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 m)
{
	emit32(emit, op.bits | (u32)m << RM | (u32)n << RN | d);
}

void a64_vector_shift(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 number)
{
	emit32(emit, op.bits | (u32)number << 16 | (u32)n << RN | d);
}

void a64_vector_load(struct emit *emit, struct a64_op op, u8 t, u8 n, u8 bytes)
{
	emit32(emit, op.bits | (u32)bytes << 12 | (u32)n << RN | t);
}

/* --- control --- */

void a64_reg(struct emit *emit, struct a64_op op, u8 n)
{
	emit32(emit, op.bits | (u32)n << RN);
}

void a64_plain(struct emit *emit, struct a64_op op)
{
	emit32(emit, op.bits);
}

static u32 place(struct emit *emit, u32 bits)
{
	emit32(emit, bits);
	return emit_offset(emit) - 4;
}

u32 a64_far(struct emit *emit, struct a64_op op)
{
	return place(emit, op.bits);
}

u32 a64_near(struct emit *emit, enum a64_condition condition)
{
	return place(emit, a64_b_cond.bits | condition);
}

u32 a64_near_reg(struct emit *emit, struct a64_op op, enum a64_width width, u8 t)
{
	return place(emit, op.bits | sf(width) | t);
}

u32 a64_bit(struct emit *emit, struct a64_op op, u8 t, u8 bit)
{
	return place(emit, op.bits | (u32)(bit >> 5) << SF | (u32)(bit & 31) << 19 | t);
}

u32 a64_literal(struct emit *emit, u8 t)
{
	return place(emit, a64_ldr_literal.bits | t);
}

struct distance {
	u8 bits, shift;
};

static struct distance distance_of(u32 insn)
{
	if ((insn & 0x7c000000) == a64_b.bits)
		return (struct distance){26, 0};
	if ((insn & 0x7e000000) == a64_tbz.bits)
		return (struct distance){14, 5};
	return (struct distance){19, 5};
}

bool a64_aim(struct emit *emit, u32 at, u32 target)
{
	const s32 words = (s32)(target - at) / 4;
	struct distance field;
	u32 insn, mask;

	memcpy(&insn, emit->start + at, sizeof(insn));
	field = distance_of(insn);
	mask = (1u << field.bits) - 1;
	if (words >= 1 << (field.bits - 1) || words < -(1 << (field.bits - 1)))
		return false;
	insn &= ~(mask << field.shift);
	emit_patch32(emit, at, insn | ((u32)words & mask) << field.shift);
	return true;
}

void a64_land(struct emit *emit, u32 at)
{
	a64_aim(emit, at, emit_offset(emit));
}

/* --- of several instructions --- */

/* The 16 bits that are not `usual` are put in their places, one after the other. */
static void by_pieces(struct emit *emit, enum a64_width width, u8 d, u64 value, u16 usual)
{
	const u8 places = width == W64 ? 4 : 2;
	bool is_begun = false;

	for (u8 i = 0; i < places; i++) {
		const u16 bits = (u16)(value >> 16 * i);

		if (bits == usual && !(i == places - 1 && !is_begun))
			continue;
		if (is_begun)
			a64_wide(emit, a64_movk, width, d, bits, i);
		else if (usual)
			a64_wide(emit, a64_movn, width, d, (u16)~bits, i);
		else
			a64_wide(emit, a64_movz, width, d, bits, i);
		is_begun = true;
	}
}

static u32 pieces_beside(u64 value, u32 places, u16 usual)
{
	u32 count = 0;

	for (u32 i = 0; i < places; i++)
		count += (u16)(value >> 16 * i) != usual;
	return count;
}

void a64_mov_imm(struct emit *emit, u8 d, u64 value)
{
	const enum a64_width width = value == (u32)value ? W32 : W64;
	const u32 places = width == W64 ? 4 : 2;
	const u32 low = pieces_beside(value, places, 0), high = pieces_beside(value, places, 0xffff);
	u32 pattern;

	if (min(low, high) > 1 && a64_is_pattern(value, width, &pattern))
		a64_logic(emit, a64_orr_imm, width, d, XZR, pattern);
	else
		by_pieces(emit, width, d, value, high < low ? 0xffff : 0);
}

void a64_add_number(struct emit *emit, u8 d, u8 n, s64 number)
{
	const u64 size = number < 0 ? -(u64)number : (u64)number;
	const struct a64_op op = number < 0 ? a64_sub_imm : a64_add_imm;

	if (a64_is_imm12(size)) {
		if (size || d != n)
			a64_imm12(emit, op, W64, d, n, (u32)size);
	} else if (size < 1 << 24) {
		a64_imm12(emit, op, W64, d, n, (u32)size & 0xfff000);
		a64_imm12(emit, op, W64, d, d, (u32)size & 0xfff);
	} else {
		a64_mov_imm(emit, d, (u64)number);
		a64_rrr(emit, a64_add, W64, d, n, d);
	}
}

void a64_shift_imm(struct emit *emit, enum a64_shift shift, enum a64_width width, u8 d, u8 n,
		   u8 amount)
{
	const u8 last = width == W64 ? 63 : 31;

	amount &= last;
	switch (shift) {
	case A64_LSL:
		a64_field(emit, a64_ubfm, width, d, n, (u8)(-amount & last), last - amount);
		return;
	case A64_LSR: a64_field(emit, a64_ubfm, width, d, n, amount, last); return;
	case A64_ASR: a64_field(emit, a64_sbfm, width, d, n, amount, last); return;
	case A64_ROR: break;
	}
	a64_extract(emit, width, d, n, n, amount);
}

/* Beside a register that is shifted 31 is not the stack pointer. */
struct a64_mem a64_without_index(struct emit *emit, struct a64_mem mem, u8 scratch)
{
	if (mem.base == SP) {
		a64_add_number(emit, scratch, SP, mem.disp);
		mem.base = scratch;
		mem.disp = 0;
	}
	a64_rrr_shifted(emit, a64_add, W64, scratch, mem.base, mem.index, A64_LSL, mem.scale);
	return a64_at(scratch, mem.disp);
}

void a64_access(struct emit *emit, struct a64_op op, u8 t, struct a64_mem mem, u8 scratch)
{
	const bool has_index = mem.index != A64_NO_REG;

	if (has_index && (mem.disp || (mem.scale && mem.scale != size_of(op))))
		mem = a64_without_index(emit, mem, scratch);
	if (mem.index == A64_NO_REG && !a64_reaches(op, mem.disp)) {
		if (mem.base == scratch && !a64_is_imm12((u64)(mem.disp < 0 ? -(s64)mem.disp : mem.disp))) {
			const s32 low = mem.disp & 0xff;

			a64_add_number(emit, scratch, scratch, (s64)mem.disp - low);
			mem.disp = low;
		} else {
			a64_add_number(emit, scratch, mem.base, mem.disp);
			mem.disp = 0;
		}
		mem.base = scratch;
	}
	a64_memory(emit, op, t, mem);
}
