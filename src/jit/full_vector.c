/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels (ir/kernel.h) in AVX2. Each round of the loop does several vectors, into sums of their
 * own, so that they need not wait for one another. */
#include "jit/avx.h"
#include "jit/full.h"

#define SUMS_MAX      4 /* ymm0 on; temporaries follow, constants come from ymm15 down */
#define LAST_REGISTER 15

/* Where the kernel's arguments are; the result, and constants on their way, are in rax. */
const u8 full_kernel_argument[KERNEL_ARGS] = {RDI, RSI, RDX, RCX, R8, R9};

struct vector_code {
	struct emit *emit;
	const struct ir_kernel *kernel;
	u8 reg[KERNEL_ROWS]; /* of each row */
	u8 masks[KERNEL_ROWS]; /* of byte swaps */
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

/* --- what is the same in all rounds --- */

static void splat(struct vector_code *code, u8 vector, u8 from)
{
	avx_from_reg(code->emit, is_wide(code) ? W64 : W32, vector, from);
	avx_rr(code->emit, is_wide(code) ? avx_vpbroadcastq : avx_vpbroadcastd, vector, 0, vector);
}

/* The bytes of each lane in the order that swaps `bytes` of them; the others become 0. */
static u64 swap_mask(const struct vector_code *code, u32 bytes, u32 half)
{
	const u32 lane_bytes = is_wide(code) ? 8 : 4;
	u64 mask = 0;

	for (u32 i = 0; i < 8; i++) {
		const u32 at = i % lane_bytes, lane = 8 * half + i - at;

		mask |= (u64)(at < bytes ? lane + bytes - 1 - at : 0x80) << 8 * i;
	}
	return mask;
}

static void load_mask(struct vector_code *code, u8 vector, u32 bytes)
{
	x86_mov_imm(code->emit, RAX, swap_mask(code, bytes, 0));
	avx_from_reg(code->emit, W64, vector, RAX);
	x86_mov_imm(code->emit, RAX, swap_mask(code, bytes, 1));
	avx_set_second(code->emit, vector, RAX);
	avx_double(code->emit, vector);
}

static u32 swapped_bytes(u8 op)
{
	switch (op) {
	case IR_bswap16: return 2;
	case IR_bswap32: return 4;
	case IR_bswap64: return 8;
	default: return 0;
	}
}

/* KERNEL_REGISTERS are enough for all. */
static void prepare(struct vector_code *code)
{
	u8 next = (u8)code->sums, last = LAST_REGISTER;

	for (u32 i = 0; i < code->kernel->row_cnt; i++) {
		const struct ir_kernel_row *row = &code->kernel->rows[i];

		reserve(code);
		if (row->op == IR_const || row->op == IR_arg) {
			if (row->op == IR_const)
				x86_mov_imm(code->emit, RAX, (u64)row->imm);
			code->reg[i] = last--;
			splat(code, code->reg[i],
			      row->op == IR_const ? RAX : full_kernel_argument[row->a]);
			continue;
		}
		code->reg[i] = next++;
		if (swapped_bytes(row->op)) {
			code->masks[i] = last--;
			load_mask(code, code->masks[i], swapped_bytes(row->op));
		}
	}
}

/* --- one vector --- */

static struct avx_op load_op(const struct vector_code *code, const struct ir_kernel_row *row)
{
	static const struct avx_op *const ops[2][2][3] = {
		{{&avx_vpmovzxbd, &avx_vpmovzxwd, &avx_vmovdqu},
		 {&avx_vpmovsxbd, &avx_vpmovsxwd, &avx_vmovdqu}},
		{{&avx_vpmovzxbq, &avx_vpmovzxwq, &avx_vpmovzxdq},
		 {&avx_vpmovsxbq, &avx_vpmovsxwq, &avx_vpmovsxdq}},
	};

	return row->bytes == 8 ? avx_vmovdqu
			       : *ops[is_wide(code)][row->is_signed][row->bytes / 2];
}

static struct avx_op plain_op(const struct vector_code *code, u8 op)
{
	switch (op) {
	case IR_add: return is_wide(code) ? avx_vpaddq : avx_vpaddd;
	case IR_sub: return is_wide(code) ? avx_vpsubq : avx_vpsubd;
	case IR_mul: return is_wide(code) ? avx_vpmuludq : avx_vpmulld;
	case IR_and: return avx_vpand;
	case IR_or: return avx_vpor;
	default: return avx_vpxor;
	}
}

static struct avx_op shift_op(const struct vector_code *code, u8 op)
{
	switch (op) {
	case IR_shl: return is_wide(code) ? avx_vpsllq : avx_vpslld;
	case IR_shr: return is_wide(code) ? avx_vpsrlq : avx_vpsrld;
	default: return avx_vpsrad;
	}
}

static void calculate(struct vector_code *code, u32 index)
{
	const struct ir_kernel_row *row = &code->kernel->rows[index];
	const u8 reg = code->reg[index], a = code->reg[row->a], b = code->reg[row->b];

	switch (row->op) {
	case IR_shl:
	case IR_shr:
	case IR_sar:
		avx_imm(code->emit, shift_op(code, row->op), reg, a,
			(u8)code->kernel->rows[row->b].imm & (is_wide(code) ? 63 : 31));
		return;
	case IR_bswap16:
	case IR_bswap32:
	case IR_bswap64:
		avx_rr(code->emit, avx_vpshufb, reg, a, code->masks[index]);
		return;
	default: avx_rr(code->emit, plain_op(code, row->op), reg, a, b); return;
	}
}

/* The vector's elements begin `ahead` behind those that SCRATCH counts. */
static void add_vector(struct vector_code *code, u8 sum, u32 ahead)
{
	const struct ir_kernel *kernel = code->kernel;

	reserve(code);
	for (u32 i = 0; i < kernel->row_cnt; i++) {
		const struct ir_kernel_row *row = &kernel->rows[i];
		struct x86_mem mem;

		if (row->op == IR_const || row->op == IR_arg)
			continue;
		if (row->op != IR_load) {
			calculate(code, i);
			continue;
		}
		mem = x86_at(full_kernel_argument[row->a], (s32)(row->imm + ahead * row->bytes));
		mem.index = SCRATCH;
		mem.scale = (u8)__builtin_ctz(row->bytes);
		avx_rm(code->emit, load_op(code, row), code->reg[i], 0, mem);
	}
	avx_rr(code->emit, plain_op(code, kernel->op), sum, sum, code->reg[kernel->row_cnt - 1]);
}

/* --- all of them --- */

static void loop(struct vector_code *code)
{
	const u32 lanes = ir_kernel_lanes(code->kernel), step = lanes * code->sums;
	const u32 rounds = code->kernel->count / step, rest = code->kernel->count % step / lanes;
	u32 start;

	x86_mov_imm(code->emit, SCRATCH, 0);
	start = emit_offset(code->emit);
	for (u32 i = 0; i < code->sums; i++)
		add_vector(code, (u8)i, i * lanes);
	if (rounds > 1 || rest) {
		x86_rr(code->emit, x86_add_imm32, W64, 0, SCRATCH);
		emit32(code->emit, step);
	}
	if (rounds > 1) {
		x86_rr(code->emit, x86_cmp_imm32, W64, 0, SCRATCH);
		emit32(code->emit, rounds * step);
		x86_aim(code->emit, x86_jcc32(code->emit, CC_B), start);
	}
	for (u32 i = 0; i < rest; i++)
		add_vector(code, (u8)i, i * lanes);
}

static void fold_sums(struct vector_code *code)
{
	static const u8 swap_halves = 0x4e, swap_neighbours = 0xb1;
	const struct avx_op op = plain_op(code, code->kernel->op);

	for (u32 i = 1; i < code->sums; i++)
		avx_rr(code->emit, op, 0, 0, (u8)i);
	avx_upper(code->emit, 1, 0);
	avx_rr(code->emit, op, 0, 0, 1);
	avx_imm(code->emit, avx_vpshufd, 1, 0, swap_halves);
	avx_rr(code->emit, op, 0, 0, 1);
	if (!is_wide(code)) {
		avx_imm(code->emit, avx_vpshufd, 1, 0, swap_neighbours);
		avx_rr(code->emit, op, 0, 0, 1);
	}
	avx_to_reg(code->emit, is_wide(code) ? W64 : W32, RAX, 0);
	avx_end(code->emit);
}

void full_reduce(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const struct ir_kernel *kernel = &full->fn->kernels[insn->imm];
	const u32 vectors = kernel->count / ir_kernel_lanes(kernel);
	struct vector_code code = {
		.emit = full->emit, .kernel = kernel, .sums = min(vectors, (u32)SUMS_MAX)};

	full_pass(full, insn, full_kernel_argument);
	for (u32 i = 0; i < code.sums; i++)
		avx_rr(full->emit, avx_vpxor, (u8)i, (u8)i, (u8)i);
	prepare(&code);
	loop(&code);
	reserve(&code);
	fold_sums(&code);
	full->failed |= code.failed;
	full_done(full, at, RAX);
}
