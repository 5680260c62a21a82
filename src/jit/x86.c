/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/x86.h"

#define NO_DIGIT		 0xff

#define X86(name, opcode, flags) const struct x86_op x86_##name = {opcode, NO_DIGIT, flags};
#define X86_DIGIT(name, opcode, digit, flags) \
	const struct x86_op x86_##name = {opcode, digit, flags};
#include "jit/x86.def"

enum { REX = 0x40, REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };
enum { MOD_MEMORY = 0 << 6, MOD_DISP8 = 1 << 6, MOD_DISP32 = 2 << 6, MOD_REGISTER = 3 << 6 };
enum { RM_SIB = 4, RM_RIP = 5, SIB_NO_INDEX = 4 << 3 };

static bool fits8(s64 value)
{
	return value == (s8)value;
}

/* Writes through a pointer of its own, as all below: what is in memory would be loaded and stored
 * again at each byte. */
static inline u8 *opcode(u8 *at, struct x86_op op, enum x86_width width, u8 rex)
{
	if (op.flags & X86_LOCK)
		*at++ = 0xf0;
	if (op.flags & X86_F3)
		*at++ = 0xf3;
	if (width == W16)
		*at++ = 0x66;
	if (width == W64 && !(op.flags & X86_WIDE))
		rex |= REX_W;
	if (rex)
		*at++ = REX | rex;
	if (op.opcode > 0xff)
		*at++ = op.opcode >> 8;
	*at++ = (u8)op.opcode;
	return at;
}

/* The registers spl to dil, which without a REX prefix would be ah to bh. */
static u8 byte_register(u8 reg)
{
	return reg >= RSP && reg <= RDI ? REX : 0;
}

static u8 field(struct x86_op op, u8 reg)
{
	return op.digit == NO_DIGIT ? reg : op.digit;
}

void x86_rr(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg, u8 rm)
{
	u8 middle = field(op, reg), rex = (middle >> 3) * REX_R | (rm >> 3) * REX_B;
	u8 *at;

	if (op.flags & X86_BYTE_REG)
		rex |= byte_register(reg) | byte_register(rm);
	if (op.flags & X86_BYTE_RM)
		rex |= byte_register(rm);
	emit->registers |= 1u << middle | 1u << rm;
	at = opcode(emit->at, op, width, rex);
	*at++ = MOD_REGISTER | (middle & 7) << 3 | (rm & 7);
	emit->at = at;
}

/* Without a displacement rbp and r13 as a base mean something else. */
static u8 mod_of(struct x86_mem mem)
{
	if (!mem.disp && (mem.base & 7) != RBP)
		return MOD_MEMORY;
	return fits8(mem.disp) ? MOD_DISP8 : MOD_DISP32;
}

void x86_rm(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg,
	    struct x86_mem mem)
{
	const bool has_index = mem.index != X86_NO_REG;
	u8 middle = field(op, reg), mod = mod_of(mem);
	u8 rex = (middle >> 3) * REX_R | (mem.base >> 3) * REX_B |
		 (has_index && mem.index >> 3) * REX_X;
	u8 *at;

	if (op.flags & X86_BYTE_REG)
		rex |= byte_register(reg);
	emit->registers |= 1u << mem.base;
	at = opcode(emit->at, op, width, rex);
	if (has_index || (mem.base & 7) == RSP) {
		*at++ = mod | (middle & 7) << 3 | RM_SIB;
		*at++ = mem.scale << 6 | (has_index ? (mem.index & 7) << 3 : SIB_NO_INDEX) |
			(mem.base & 7);
	} else {
		*at++ = mod | (middle & 7) << 3 | (mem.base & 7);
	}
	if (mod == MOD_DISP8)
		*at++ = (u8)mem.disp;
	emit->at = at;
	if (mod == MOD_DISP32)
		emit32(emit, (u32)mem.disp);
}

u32 x86_rip(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg)
{
	u8 middle = field(op, reg);

	emit->at = opcode(emit->at, op, width, (middle >> 3) * REX_R);
	emit8(emit, MOD_MEMORY | (middle & 7) << 3 | RM_RIP);
	emit32(emit, 0);
	return emit_offset(emit) - 4;
}

void x86_locked(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg,
		struct x86_mem mem)
{
	op.flags |= X86_LOCK;
	x86_rm(emit, op, width, reg, mem);
}

static struct x86_op cmov(enum x86_condition condition)
{
	return (struct x86_op){0x0f40 | condition, NO_DIGIT, 0};
}

void x86_cmov(struct emit *emit, enum x86_condition condition, enum x86_width width, u8 reg, u8 rm)
{
	x86_rr(emit, cmov(condition), width, reg, rm);
}

void x86_cmov_memory(struct emit *emit, enum x86_condition condition, enum x86_width width, u8 reg,
		     struct x86_mem mem)
{
	x86_rm(emit, cmov(condition), width, reg, mem);
}

/* VEX.LZ.{66,F3,F2}.0F38.W F7 /r: the three bytes of the prefix hold the registers' upper bits
 * inverted. */
void x86_shift_by_reg(struct emit *emit, enum x86_shift shift, enum x86_width width, u8 reg,
		      u8 value, u8 count)
{
	emit8(emit, 0xc4);
	emit8(emit, (reg >> 3 ^ 1) << 7 | 1 << 6 | (value >> 3 ^ 1) << 5 | 2);
	emit8(emit, (width == W64) << 7 | (count ^ 15) << 3 | (u8)shift);
	emit8(emit, 0xf7);
	emit8(emit, MOD_REGISTER | (reg & 7) << 3 | (value & 7));
}

/* --- instructions whose register is in the opcode --- */

static void short_form(struct emit *emit, u8 first, u8 reg, u8 rex)
{
	rex |= (reg >> 3) * REX_B;
	if (rex)
		emit8(emit, REX | rex);
	emit8(emit, first | (reg & 7));
}

void x86_push(struct emit *emit, u8 reg)
{
	short_form(emit, 0x50, reg, 0);
}

void x86_pop(struct emit *emit, u8 reg)
{
	short_form(emit, 0x58, reg, 0);
}

void x86_mov_imm(struct emit *emit, u8 reg, u64 value)
{
	if (value)
		x86_mov_imm_keeping_flags(emit, reg, value);
	else
		x86_rr(emit, x86_xor_store, W32, reg, reg);
}

void x86_mov_imm_keeping_flags(struct emit *emit, u8 reg, u64 value)
{
	if (value == (u32)value) {
		short_form(emit, 0xb8, reg, 0);
		emit32(emit, (u32)value);
	} else if ((s64)value == (s32)value) {
		x86_rr(emit, x86_store_imm, W64, 0, reg);
		emit32(emit, (u32)value);
	} else {
		short_form(emit, 0xb8, reg, REX_W);
		emit64(emit, value);
	}
}

void x86_bswap(struct emit *emit, enum x86_width width, u8 reg)
{
	u8 rex = (reg >> 3) * REX_B | (width == W64 ? REX_W : 0);

	if (rex)
		emit8(emit, REX | rex);
	emit8(emit, 0x0f);
	emit8(emit, 0xc8 | (reg & 7));
}

/* --- instructions without operands --- */

void x86_ret(struct emit *emit)
{
	emit8(emit, 0xc3);
}

void x86_leave(struct emit *emit)
{
	emit8(emit, 0xc9);
}

void x86_lfence(struct emit *emit)
{
	emit8(emit, 0x0f);
	emit8(emit, 0xae);
	emit8(emit, 0xe8);
}

void x86_sign_to_rdx(struct emit *emit, enum x86_width width)
{
	if (width == W64)
		emit8(emit, REX | REX_W);
	emit8(emit, 0x99);
}

/* The forms of nop that the SDM recommends; the longest ones have more prefixes. */
static void nop(struct emit *emit, u32 length)
{
	static const u8 forms[][9] = {
		{0x90},
		{0x66, 0x90},
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0},
		{0x0f, 0x1f, 0x44, 0, 0},
		{0x66, 0x0f, 0x1f, 0x44, 0, 0},
		{0x0f, 0x1f, 0x80, 0, 0, 0, 0},
		{0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
		{0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
	};

	for (u32 i = 0; i < length; i++)
		emit8(emit, forms[length - 1][i]);
}

void x86_align(struct emit *emit, u32 bytes)
{
	while (emit_offset(emit) % bytes)
		nop(emit, min(bytes - emit_offset(emit) % bytes, 9u));
}

/* --- jumps --- */

static u32 distance32(struct emit *emit)
{
	emit32(emit, 0);
	return emit_offset(emit) - 4;
}

u32 x86_jmp32(struct emit *emit)
{
	emit8(emit, 0xe9);
	return distance32(emit);
}

u32 x86_call32(struct emit *emit)
{
	emit8(emit, 0xe8);
	return distance32(emit);
}

u32 x86_jcc32(struct emit *emit, enum x86_condition condition)
{
	emit8(emit, 0x0f);
	emit8(emit, 0x80 | condition);
	return distance32(emit);
}

void x86_aim(struct emit *emit, u32 jump, u32 target)
{
	emit_patch32(emit, jump, target - (jump + 4));
}

u32 x86_jcc8(struct emit *emit, enum x86_condition condition)
{
	emit8(emit, 0x70 | condition);
	emit8(emit, 0);
	return emit_offset(emit);
}

u32 x86_jmp8(struct emit *emit)
{
	emit8(emit, 0xeb);
	emit8(emit, 0);
	return emit_offset(emit);
}

void x86_land(struct emit *emit, u32 jump)
{
	emit->start[jump - 1] = (u8)(emit_offset(emit) - jump);
}

bool x86_is_near(const struct emit *emit, u32 target)
{
	return emit_offset(emit) + 2 - target <= 128;
}

void x86_jmp_back(struct emit *emit, u32 target)
{
	u32 jump = x86_jmp8(emit);

	emit->start[jump - 1] = (u8)(target - jump);
}

void x86_jcc_back(struct emit *emit, enum x86_condition condition, u32 target)
{
	u32 jump = x86_jcc8(emit, condition);

	emit->start[jump - 1] = (u8)(target - jump);
}
