/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction of the code to values. */
#include "ir/build.h"

#include <errno.h>

static void set_dst(struct build *build, const struct code_insn *insn, ir_ref value)
{
	build_set_reg(build, insn->dst, value);
}

static ir_ref unary(struct build *build, enum ir_op op, enum ir_width width, ir_ref a)
{
	return build_binary(build, op, width, a, 0);
}

enum {
	OP_OF_add = IR_add,
	OP_OF_sub = IR_sub,
	OP_OF_mul = IR_mul,
	OP_OF_div = IR_udiv,
	OP_OF_sdiv = IR_sdiv,
	OP_OF_mod = IR_umod,
	OP_OF_smod = IR_smod,
	OP_OF_or = IR_or,
	OP_OF_and = IR_and,
	OP_OF_xor = IR_xor,
	OP_OF_lsh = IR_shl,
	OP_OF_rsh = IR_shr,
	OP_OF_arsh = IR_sar,
	OP_OF_mov = IR_copy,
};

/* The counts of shifts and places in the stack are few. */
static ir_ref second(struct build *build, const struct code_insn *insn, u32 op, u64 imm)
{
	const bool is_shift = op == IR_shl || op == IR_shr || op == IR_sar;
	const bool is_place =
		op == IR_add &&
		ir_at(build->fn, build_reg(build, insn->dst))->op == IR_frame;

	return is_shift || is_place ? build_const(build, imm) : build_own_const(build, imm);
}

static void arithmetic(struct build *build, const struct code_insn *insn, u32 op,
		       enum ir_width width, bool is_reg)
{
	const u64 imm = width == IR_64 ? (u64)insn->imm : (u32)insn->imm;
	ir_ref b = is_reg ? build_reg(build, insn->src) : second(build, insn, op, imm);

	if (op != IR_copy)
		b = build_binary(build, (enum ir_op)op, width, build_reg(build, insn->dst), b);
	else if (width == IR_32 && is_reg)
		b = unary(build, IR_zext32, IR_64, b);
	set_dst(build, insn, b);
}

enum {
	COND_jeq = IR_EQ,
	COND_jne = IR_NE,
	COND_jgt = IR_UGT,
	COND_jge = IR_UGE,
	COND_jlt = IR_ULT,
	COND_jle = IR_ULE,
	COND_jset = IR_ANY,
	COND_jsgt = IR_SGT,
	COND_jsge = IR_SGE,
	COND_jslt = IR_SLT,
	COND_jsle = IR_SLE,
};

/* One that never jumps is here, too. */
static void branch(struct build *build, const struct code_insn *insn, u32 cond,
		   enum ir_width width, bool is_reg)
{
	const struct build_instance *instance = &build->instances[build->instance];
	ir_ref b;

	if (build_flow_of(build, instance, build->at) != FLOW_BRANCH)
		return;
	b = is_reg ? build_reg(build, insn->src) : build_own_const(build, (u64)(s64)insn->operand);
	build_emit(build, &(struct ir_insn){.op = IR_branch,
					    .width = width,
					    .cond = (u8)cond,
					    .a = build_reg(build, insn->dst),
					    .b = b});
}

/* --- memory --- */

static ir_ref load(struct build *build, const struct code_insn *insn, u8 bytes, bool is_signed,
		   bool is_ordered)
{
	return build_emit(build, &(struct ir_insn){.op = IR_load,
						   .width = IR_64,
						   .bytes = bytes,
						   .is_signed = is_signed,
						   .is_ordered = is_ordered,
						   .a = build_reg(build, insn->src),
						   .imm = insn->off});
}

static void store(struct build *build, const struct code_insn *insn, ir_ref value, u8 bytes,
		  bool is_ordered)
{
	build_emit(build, &(struct ir_insn){.op = IR_store,
					    .bytes = bytes,
					    .is_ordered = is_ordered,
					    .a = build_reg(build, insn->dst),
					    .b = value,
					    .imm = insn->off});
}

static ir_ref atomic(struct build *build, const struct code_insn *insn, enum ir_op op,
		     enum ir_atomic what, enum ir_width width)
{
	return build_emit(build, &(struct ir_insn){.op = op,
						   .width = width,
						   .cond = (u8)what,
						   .bytes = width == IR_64 ? 8 : 4,
						   .a = build_reg(build, insn->dst),
						   .b = build_reg(build, insn->src),
						   .imm = insn->off});
}

enum {
	ATOMIC_add = IR_ADD,
	ATOMIC_or = IR_OR,
	ATOMIC_and = IR_AND,
	ATOMIC_xor = IR_XOR,
};

static void fetch(struct build *build, const struct code_insn *insn, u32 what,
		  enum ir_width width)
{
	build_set_reg(build, insn->src,
		      atomic(build, insn, IR_fetch, (enum ir_atomic)what, width));
}

static void compare_exchange(struct build *build, const struct code_insn *insn,
			     enum ir_width width)
{
	ir_ref old = build_emit(build, &(struct ir_insn){.op = IR_cmpxchg,
							 .width = width,
							 .bytes = width == IR_64 ? 8 : 4,
							 .a = build_reg(build, insn->dst),
							 .b = build_reg(build, insn->src),
							 .c = build_reg(build, BPF_REG_0),
							 .imm = insn->off});

	build_set_reg(build, BPF_REG_0, old);
}

static void probe(struct build *build, const struct code_insn *insn)
{
	ir_ref address = build_binary(build, IR_add, IR_64, build_reg(build, insn->src),
				build_const(build, (u64)(s64)insn->off));

	set_dst(build, insn,
		build_emit(build, &(struct ir_insn){.op = IR_probe,
						    .width = IR_64,
						    .a = address,
						    .imm = insn->imm}));
}

/* --- what has its own body --- */

/* The pointer and the offset, which counts as 0 beyond its limit. */
static void masked(struct build *build, const struct code_insn *insn)
{
	const bool is_add = insn->op == OP_masked_add;
	const bool in_dst = is_add && insn->off & MASKED_DST;
	const u8 offset_reg = in_dst ? insn->dst : insn->src;
	ir_ref offset;

	if (insn->off & MASKED_CONSTANT)
		offset = build_own_const(build, offset_masked(0, insn->imm, insn->off));
	else
		offset = build_emit(build, &(struct ir_insn){
						   .op = IR_mask,
						   .width = IR_64,
						   .cond = (insn->off & MASKED_NEGATIVE) != 0,
						   .a = build_reg(build, offset_reg),
						   .imm = insn->imm,
					   });
	set_dst(build, insn,
		build_binary(build, is_add ? IR_add : IR_sub, IR_64,
			     build_reg(build, in_dst ? insn->src : insn->dst), offset));
}

static void may_goto(struct build *build)
{
	const struct build_instance *instance = &build->instances[build->instance];

	if (build_flow_of(build, instance, build->at) == FLOW_BRANCH)
		build_emit(build, &(struct ir_insn){.op = IR_may_goto});
}

static void load_packet(struct build *build, const struct code_insn *insn)
{
	ir_ref offset = build_own_const(build, (u32)insn->imm);

	/* Without the bytes the function ends there. */
	build_fuel_out(build);
	if (insn->op == OP_ld_ind)
		offset = build_binary(build, IR_add, IR_32, build_reg(build, insn->src), offset);
	build_set_reg(build, BPF_REG_0,
		      build_emit(build, &(struct ir_insn){.op = IR_packet_load,
							  .width = IR_64,
							  .a = build_reg(build, BPF_REG_6),
							  .b = offset,
							  .imm = insn->off}));
}

/* What is not the program's own number is an address. */
static void load_imm64(struct build *build, const struct code_insn *insn)
{
	const bool is_address = build->verified->insns[build->at].src_reg;

	set_dst(build, insn,
		is_address ? build_const(build, (u64)insn->imm)
			   : build_own_const(build, (u64)insn->imm));
}

static void control(struct build *build, const struct code_insn *insn)
{
	switch (insn->op) {
	case OP_ld_imm64: load_imm64(build, insn); return;
	case OP_ja:
	case OP_dead: return;
	case OP_may_goto: may_goto(build); return;
	case OP_masked_add:
	case OP_masked_sub: masked(build, insn); return;
	case OP_ldx_probe: probe(build, insn); return;
	case OP_xchg64: fetch(build, insn, IR_XCHG, IR_64); return;
	case OP_xchg32: fetch(build, insn, IR_XCHG, IR_32); return;
	case OP_cmpxchg64: compare_exchange(build, insn, IR_64); return;
	case OP_cmpxchg32: compare_exchange(build, insn, IR_32); return;
	case OP_ld_abs:
	case OP_ld_ind: load_packet(build, insn); return;
	case OP_call_helper:
	case OP_call_iterator:
	case OP_call_site:
	case OP_call_local:
	case OP_call_global:
	case OP_tail_call: build_call(build, insn); return;
	default: build->err = -EOPNOTSUPP; return;
	}
}

#define ORDERED(bits)                                                              \
	case OP_load_acquire##bits:                                                \
		set_dst(build, insn, load(build, insn, (bits) / 8, false, true));  \
		return;                                                            \
	case OP_store_release##bits:                                               \
		store(build, insn, build_reg(build, insn->src), (bits) / 8, true); \
		return;

#define TYPE_SIGNED_u8	false
#define TYPE_SIGNED_u16 false
#define TYPE_SIGNED_u32 false
#define TYPE_SIGNED_u64 false
#define TYPE_SIGNED_s8	true
#define TYPE_SIGNED_s16 true
#define TYPE_SIGNED_s32 true

enum {
	UNARY_neg64 = IR_neg,
	UNARY_neg32 = IR_neg,
	UNARY_swap16 = IR_bswap16,
	UNARY_swap32 = IR_bswap32,
	UNARY_swap64 = IR_bswap64,
	UNARY_low16 = IR_zext16,
	UNARY_low32 = IR_zext32,
	UNARY_same64 = IR_copy,
	UNARY_sext8_64 = IR_sext8,
	UNARY_sext16_64 = IR_sext16,
	UNARY_sext32_64 = IR_sext32,
	UNARY_sext8_32 = IR_sext8,
	UNARY_sext16_32 = IR_sext16,
};

static enum ir_width unary_width(u16 op)
{
	return op == OP_neg32 || op == OP_sext8_32 || op == OP_sext16_32 ? IR_32 : IR_64;
}

static void one_operand(struct build *build, const struct code_insn *insn, u32 op)
{
	ir_ref value = build_reg(build, insn->src);

	if (op != IR_copy)
		value = unary(build, (enum ir_op)op, unary_width(insn->op), value);
	set_dst(build, insn, value);
}

void build_insn(struct build *build)
{
	const struct code_insn *insn = &build->code->insns[build->at];

	switch (insn->op) {
#define ALU(name, ...)                                                                   \
	case OP_##name##64_k: arithmetic(build, insn, OP_OF_##name, IR_64, false); return; \
	case OP_##name##64_x: arithmetic(build, insn, OP_OF_##name, IR_64, true); return;  \
	case OP_##name##32_k: arithmetic(build, insn, OP_OF_##name, IR_32, false); return; \
	case OP_##name##32_x: arithmetic(build, insn, OP_OF_##name, IR_32, true); return;
#define UNARY(name, ...)                               \
	case OP_##name:                                \
		one_operand(build, insn, UNARY_##name); \
		return;
#define JUMP(name, ...)                                                            \
	case OP_##name##64_k: branch(build, insn, COND_##name, IR_64, false); return; \
	case OP_##name##64_x: branch(build, insn, COND_##name, IR_64, true); return;  \
	case OP_##name##32_k: branch(build, insn, COND_##name, IR_32, false); return; \
	case OP_##name##32_x: branch(build, insn, COND_##name, IR_32, true); return;
#define LOAD(name, mode, size, type)                                                         \
	case OP_##name:                                                                      \
		set_dst(build, insn, load(build, insn, sizeof(type), TYPE_SIGNED_##type, false)); \
		return;
#define STORE(bits, ...)                                                                   \
	case OP_stx##bits: store(build, insn, build_reg(build, insn->src), (bits) / 8, false); \
		return;                                                                    \
	case OP_st##bits:                                                                  \
		store(build, insn, build_own_const(build, (u64)insn->imm), (bits) / 8, false); \
		return;
#define ATOMIC_FORM(name, bits)                                                          \
	case OP_##name##_mem##bits:                                                      \
		atomic(build, insn, IR_atomic, (enum ir_atomic)ATOMIC_##name, IR_##bits); \
		return;                                                                  \
	case OP_fetch_##name##bits: fetch(build, insn, ATOMIC_##name, IR_##bits); return;
#define ATOMIC(name, ...)     \
	ATOMIC_FORM(name, 64) \
	ATOMIC_FORM(name, 32)
#include "run/ops.def"
		ORDERED(8)
		ORDERED(16)
		ORDERED(32)
		ORDERED(64)
	default: control(build, insn); return;
	}
}
