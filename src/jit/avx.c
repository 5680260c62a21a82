/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/avx.h"

#define AVX(name, map, prefix, opcode, form) \
	const struct avx_op avx_##name = {map, prefix, opcode, form};
#include "jit/avx.def"

enum { VEX_256 = 1 << 2, VEX_W = 1 << 7 };
enum { MOD_REGISTER = 3 << 6, MOD_DISP32 = 2 << 6, RM_SIB = 4 };
enum { MAP_0F = 1, MAP_0F38, MAP_0F3A };
enum { PREFIX_NONE = 0, PREFIX_66 = 1 };

/* The prefix holds the upper bits of the registers inverted, and the register in the middle. */
static void vex(struct emit *emit, struct avx_op op, u8 flags, u8 reg, u8 left, u8 index, u8 base)
{
	emit8(emit, 0xc4);
	emit8(emit, (reg >> 3 ^ 1) << 7 | (index >> 3 ^ 1) << 6 | (base >> 3 ^ 1) << 5 | op.map);
	emit8(emit, (flags & VEX_W) | (left ^ 15) << 3 | (flags & VEX_256) | op.prefix);
	emit8(emit, op.opcode);
}

static void of_registers(struct emit *emit, struct avx_op op, u8 flags, u8 reg, u8 left, u8 rm)
{
	vex(emit, op, flags, reg, left, 0, rm);
	emit8(emit, MOD_REGISTER | (reg & 7) << 3 | (rm & 7));
}

void avx_rr(struct emit *emit, struct avx_op op, u8 reg, u8 left, u8 rm)
{
	of_registers(emit, op, VEX_256, reg, op.form == AVX_THREE ? left : 0, rm);
}

void avx_rm(struct emit *emit, struct avx_op op, u8 reg, u8 left, struct x86_mem mem)
{
	vex(emit, op, VEX_256, reg, op.form == AVX_THREE ? left : 0, mem.index, mem.base);
	emit8(emit, MOD_DISP32 | (reg & 7) << 3 | RM_SIB);
	emit8(emit, mem.scale << 6 | (mem.index & 7) << 3 | (mem.base & 7));
	emit32(emit, (u32)mem.disp);
}

void avx_imm(struct emit *emit, struct avx_op op, u8 reg, u8 rm, u8 imm)
{
	if (op.form >= AVX_SHIFT)
		of_registers(emit, op, VEX_256, op.form - AVX_SHIFT, reg, rm);
	else
		of_registers(emit, op, VEX_256, reg, 0, rm);
	emit8(emit, imm);
}

void avx_from_reg(struct emit *emit, enum x86_width width, u8 vector, u8 reg)
{
	const struct avx_op vmov = {1, PREFIX_66, 0x6e, AVX_TWO};

	of_registers(emit, vmov, width == W64 ? VEX_W : 0, vector, 0, reg);
}

void avx_to_reg(struct emit *emit, enum x86_width width, u8 reg, u8 vector)
{
	const struct avx_op vmov = {1, PREFIX_66, 0x7e, AVX_TWO};

	of_registers(emit, vmov, width == W64 ? VEX_W : 0, vector, 0, reg);
}

void avx_set_second(struct emit *emit, u8 vector, u8 reg)
{
	const struct avx_op vpinsrq = {MAP_0F3A, PREFIX_66, 0x22, AVX_IMM};

	of_registers(emit, vpinsrq, VEX_W, vector, vector, reg);
	emit8(emit, 1);
}

void avx_double(struct emit *emit, u8 vector)
{
	const struct avx_op vinserti128 = {MAP_0F3A, PREFIX_66, 0x38, AVX_IMM};

	of_registers(emit, vinserti128, VEX_256, vector, vector, vector);
	emit8(emit, 1);
}

void avx_upper(struct emit *emit, u8 to, u8 vector)
{
	const struct avx_op vextracti128 = {MAP_0F3A, PREFIX_66, 0x39, AVX_IMM};

	of_registers(emit, vextracti128, VEX_256, vector, 0, to);
	emit8(emit, 1);
}

void avx_match_bytes(struct emit *emit, u8 reg, u8 byte, u8 at)
{
	const struct avx_op vpbroadcastb = {MAP_0F38, PREFIX_66, 0x78, AVX_TWO},
			    vpcmpeqb = {MAP_0F, PREFIX_66, 0x74, AVX_THREE},
			    vpmovmskb = {MAP_0F, PREFIX_66, 0xd7, AVX_TWO};

	avx_from_reg(emit, W32, 0, byte);
	of_registers(emit, vpbroadcastb, 0, 0, 0, 0);
	vex(emit, vpcmpeqb, 0, 0, 0, 0, at);
	emit8(emit, at & 7); /* memory without a displacement */
	of_registers(emit, vpmovmskb, 0, reg, 0, 0);
}

void avx_end(struct emit *emit)
{
	emit8(emit, 0xc5);
	emit8(emit, 0xf8);
	emit8(emit, 0x77);
}
