/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels (ir/kernel.h) in vectors of 128 bits. Each round of the loop does several, into sums of
 * their own, so that they need not wait for one another. */
#include "jit/arm64_full.h"

#define SUMS_MAX 4
#define SPARE	 31 /* beside those of the kernel's rows */
#define BYTES	 16

/* Where the kernel's arguments are: addresses move on. */
const u8 full_kernel_argument[KERNEL_ARGS] = {X0, X1, X2, X3, X4, X5};

/* Vectors that C's functions may change; the sums come first. */
static const u8 vectors[] = {0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24};

struct vector_code {
	struct emit *emit;
	const struct ir_kernel *kernel;
	u8 reg[KERNEL_ROWS]; /* of each row */
	u32 sums;
	bool failed; /* out of memory */
};

static void reserve(struct vector_code *code)
{
	code->failed |= emit_reserve(code->emit) != 0;
}

static bool is_wide(const struct vector_code *code)
{
	return code->kernel->width == IR_64;
}

static u8 lane_bits(const struct vector_code *code)
{
	return is_wide(code) ? 64 : 32;
}

static void copy(struct vector_code *code, u8 to, u8 from)
{
	a64_vector3(code->emit, a64_orr_v, to, from, from);
}

/* --- what is the same in all rounds --- */

static void prepare(struct vector_code *code)
{
	const struct a64_op splat = is_wide(code) ? a64_dup_d : a64_dup_s;

	for (u32 i = 0; i < code->kernel->row_cnt; i++) {
		const struct ir_kernel_row *row = &code->kernel->rows[i];

		reserve(code);
		code->reg[i] = vectors[SUMS_MAX + i];
		if (row->op == IR_arg) {
			a64_vector(code->emit, splat, code->reg[i], full_kernel_argument[row->a]);
		} else if (row->op == IR_const) {
			a64_mov_imm(code->emit, S1, (u64)row->imm);
			a64_vector(code->emit, splat, code->reg[i], S1);
		} else if (row->op == IR_load) {
			arm64_add_const(code->emit, W64, full_kernel_argument[row->a],
					full_kernel_argument[row->a], row->imm, S1);
		}
	}
}

/* --- one vector --- */

/* From elements of `bytes` to those of twice as many, up to the lane's. */
static void widen(struct vector_code *code, const struct ir_kernel_row *row, u8 reg)
{
	for (u32 bytes = row->bytes; 8 * bytes < lane_bits(code); bytes *= 2)
		a64_vector_shift(code->emit, row->is_signed ? a64_sshll : a64_ushll, reg, reg,
				 (u8)(8 * bytes));
}

static void load(struct vector_code *code, const struct ir_kernel_row *row, u8 reg)
{
	static const struct a64_op *const ops[] = {&a64_ldr_h, &a64_ldr_s, &a64_ldr_d, &a64_ldr_q};
	const u8 bytes = (u8)(BYTES * 8 / lane_bits(code) * row->bytes);

	a64_vector_load(code->emit, *ops[__builtin_ctz(bytes) - 1], reg,
			full_kernel_argument[row->a], bytes);
	widen(code, row, reg);
}

static struct a64_op plain_op(const struct vector_code *code, u8 op)
{
	switch (op) {
	case IR_add: return is_wide(code) ? a64_add_2d : a64_add_4s;
	case IR_sub: return is_wide(code) ? a64_sub_2d : a64_sub_4s;
	case IR_mul: return a64_mul_4s;
	case IR_and: return a64_and_v;
	case IR_or: return a64_orr_v;
	default: return a64_eor_v;
	}
}

/* The low halves of wide lanes: products of more there are none. */
static void multiply_wide(struct vector_code *code, u8 reg, u8 a, u8 b)
{
	a64_vector(code->emit, a64_xtn, SPARE, a);
	a64_vector(code->emit, a64_xtn, reg, b);
	a64_vector3(code->emit, a64_umull, reg, SPARE, reg);
}

static void shift_right(struct vector_code *code, struct a64_op op, u8 reg, u8 a, u8 amount)
{
	if (amount)
		a64_vector_shift(code->emit, op, reg, a, 2 * lane_bits(code) - amount);
	else
		copy(code, reg, a);
}

/* Of a whole lane, of which the upper bytes are dropped. */
static void swap(struct vector_code *code, u8 reg, u8 a, u8 bits)
{
	a64_vector(code->emit, is_wide(code) ? a64_rev64_v : a64_rev32_v, reg, a);
	if (bits < lane_bits(code))
		shift_right(code, a64_ushr, reg, reg, lane_bits(code) - bits);
}

static void calculate(struct vector_code *code, u32 index)
{
	const struct ir_kernel_row *row = &code->kernel->rows[index];
	const u8 reg = code->reg[index], a = code->reg[row->a], b = code->reg[row->b];
	const u8 amount = (u8)code->kernel->rows[row->b].imm & (lane_bits(code) - 1);

	switch (row->op) {
	case IR_shl:
		a64_vector_shift(code->emit, a64_shl_v, reg, a, lane_bits(code) + amount);
		return;
	case IR_shr: shift_right(code, a64_ushr, reg, a, amount); return;
	case IR_sar: shift_right(code, a64_sshr, reg, a, amount); return;
	case IR_bswap16: swap(code, reg, a, 16); return;
	case IR_bswap32: swap(code, reg, a, 32); return;
	case IR_bswap64: swap(code, reg, a, 64); return;
	case IR_mul:
		if (is_wide(code)) {
			multiply_wide(code, reg, a, b);
			return;
		}
		break;
	default: break;
	}
	a64_vector3(code->emit, plain_op(code, row->op), reg, a, b);
}

static void add_vector(struct vector_code *code, u8 sum)
{
	const struct ir_kernel *kernel = code->kernel;

	reserve(code);
	for (u32 i = 0; i < kernel->row_cnt; i++) {
		const struct ir_kernel_row *row = &kernel->rows[i];

		if (row->op == IR_load)
			load(code, row, code->reg[i]);
		else if (row->op != IR_const && row->op != IR_arg)
			calculate(code, i);
	}
	a64_vector3(code->emit, plain_op(code, kernel->op), sum, sum,
		    code->reg[kernel->row_cnt - 1]);
}

/* --- all of them --- */

static void loop(struct vector_code *code)
{
	const u32 count = code->kernel->count / (BYTES * 8 / lane_bits(code));
	const u32 rounds = count / code->sums, rest = count % code->sums;
	u32 start;

	a64_mov_imm(code->emit, S1, rounds);
	start = emit_offset(code->emit);
	for (u32 i = 0; i < code->sums; i++)
		add_vector(code, vectors[i]);
	if (rounds > 1) {
		a64_imm12(code->emit, a64_subs_imm, W64, S1, S1, 1);
		a64_aim(code->emit, a64_near(code->emit, A64_NE), start);
	}
	for (u32 i = 0; i < rest; i++)
		add_vector(code, vectors[i]);
}

static void fold_sums(struct vector_code *code)
{
	const struct a64_op op = plain_op(code, code->kernel->op);
	struct emit *emit = code->emit;

	for (u32 i = 1; i < code->sums; i++)
		a64_vector3(emit, op, vectors[0], vectors[0], vectors[i]);
	a64_vector3(emit, a64_ext_8, SPARE, vectors[0], vectors[0]);
	a64_vector3(emit, op, vectors[0], vectors[0], SPARE);
	if (!is_wide(code)) {
		a64_vector3(emit, a64_ext_4, SPARE, vectors[0], vectors[0]);
		a64_vector3(emit, op, vectors[0], vectors[0], SPARE);
	}
	a64_vector(emit, is_wide(code) ? a64_fmov_x_d : a64_fmov_w_s, X0, vectors[0]);
}

void full_reduce(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const struct ir_kernel *kernel = &full->fn->kernels[insn->imm];
	struct vector_code code = {.emit = full->emit, .kernel = kernel};

	code.sums = min(kernel->count / (BYTES * 8 / lane_bits(&code)), (u32)SUMS_MAX);
	full_pass(full, insn, full_kernel_argument);
	for (u32 i = 0; i < code.sums; i++)
		a64_vector3(full->emit, a64_eor_v, vectors[i], vectors[i], vectors[i]);
	prepare(&code);
	loop(&code);
	reserve(&code);
	fold_sums(&code);
	full->failed |= code.failed;
	full_done(full, at, X0);
}
