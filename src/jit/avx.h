/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoder's vectors: instructions of 256 bits, rows of avx.def, on ymm0 to ymm15. */
#ifndef SKEP_JIT_AVX_H
#define SKEP_JIT_AVX_H

#include "jit/x86.h"

enum avx_form { AVX_TWO, AVX_THREE, AVX_IMM, AVX_SHIFT };

struct avx_op {
	u8 map, prefix, opcode, form;
};

#define AVX(name, ...) extern const struct avx_op avx_##name;
#include "jit/avx.def"

/* reg = op(rm), or op(left, rm) of rows with three registers. */
void avx_rr(struct emit *emit, struct avx_op op, u8 reg, u8 left, u8 rm);
void avx_rm(struct emit *emit, struct avx_op op, u8 reg, u8 left, struct x86_mem mem);
/* Rows with an immediate. */
void avx_imm(struct emit *emit, struct avx_op op, u8 reg, u8 rm, u8 imm);

/* Between a register and the low bits of a vector, whose other bits become 0. */
void avx_from_reg(struct emit *emit, enum x86_width width, u8 vector, u8 reg);
void avx_to_reg(struct emit *emit, enum x86_width width, u8 reg, u8 vector);
/* The second 64 bits, of what stays the same; both halves of 128 bits are those below. */
void avx_set_second(struct emit *emit, u8 vector, u8 reg);
void avx_double(struct emit *emit, u8 vector);
/* The upper 128 bits. */
void avx_upper(struct emit *emit, u8 to, u8 vector);
/* Which of the 16 bytes at the address in `at` are the one in `byte`, as bits; neither rbp nor rsp,
 * nor r12 or r13. xmm0 changes. */
void avx_match_bytes(struct emit *emit, u8 reg, u8 byte, u8 at);
void avx_end(struct emit *emit); /* vzeroupper: no other code pays for the vectors */

#endif
