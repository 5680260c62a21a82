/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verified instructions to code: each becomes one operation of the interpreter, with whatever
 * its fact says already worked in. What the verifier proved dead becomes OP_dead.
 */
#include "base/error.h"
#include "catalog/host.h"
#include "isa/isa.h"
#include "map/map.h"
#include "map/own.h"
#include "run/arena.h"
#include "run/code.h"
#include "run/run.h"
#include "verify/kfunc_proto.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
	const struct bpf_insn *insns;
	struct prog_code *code;
	const struct verified
		*verified; /* NULL: nothing is proven, and the next says the rest */
	const struct unproven *unproven;
	const struct prog_types *types;
	struct skep_error *err;
};

/* Operations whose opcode byte says it all. */
static const u16 plain_ops[256] = {
#define ALU_CODES(name, width, class, op)                \
	[(class) | (op) | BPF_K] = OP_##name##width##_k, \
			  [(class) | (op) | BPF_X] = OP_##name##width##_x,
#define PLAIN_0(name, op) ALU_CODES(name, 64, BPF_ALU64, op) ALU_CODES(name, 32, BPF_ALU, op)
#define PLAIN_1(name, op)
#define ALU(name, op, is_signed, value) PLAIN_##is_signed(name, op)
#define JUMP(name, op, condition) \
	ALU_CODES(name, 64, BPF_JMP, op) ALU_CODES(name, 32, BPF_JMP32, op)
#define LOAD(name, mode, size, type) [BPF_LDX | (mode) | (size)] = OP_##name,
#define STORE(bits, size, type) \
	[BPF_STX | BPF_MEM | (size)] = OP_stx##bits, [BPF_ST | BPF_MEM | (size)] = OP_st##bits,
#include "run/ops.def"
	[BPF_JMP | BPF_JA] = OP_ja,
	[BPF_JMP32 | BPF_JA] = OP_ja,
	[BPF_JMP | BPF_JCOND] = OP_may_goto,
	[BPF_JMP | BPF_EXIT] = OP_exit,
};

static int bad_insn(const struct decoder *decoder, u32 at, int code, const char *what)
{
	if (decoder->err)
		decoder->err->insn = at;
	return error_set(decoder->err, SKEP_STAGE_RUN, code,
			 "instruction %u (opcode 0x%02x): %s", at, decoder->insns[at].code,
			 what);
}

/* --- arithmetic --- */
static u16 sign_extend_op(bool is64, s16 bits)
{
	if (bits == 32)
		return OP_sext32_64;
	if (bits == 16)
		return is64 ? OP_sext16_64 : OP_sext16_32;
	return is64 ? OP_sext8_64 : OP_sext8_32;
}

static u16 signed_division_op(const struct bpf_insn *insn)
{
	const bool is_div = BPF_OP(insn->code) == BPF_DIV,
		   is64 = BPF_CLASS(insn->code) == BPF_ALU64;

	if (BPF_SRC(insn->code) == BPF_K)
		return is_div ? is64 ? OP_sdiv64_k : OP_sdiv32_k
		       : is64 ? OP_smod64_k
			      : OP_smod32_k;
	return is_div ? is64 ? OP_sdiv64_x : OP_sdiv32_x : is64 ? OP_smod64_x : OP_smod32_x;
}

/* BPF_END: an unconditional swap, or one towards a byte order that the host has or has not. */
static u16 byte_order_op(const struct bpf_insn *insn)
{
	const bool host_is_le = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const bool swaps = BPF_CLASS(insn->code) == BPF_ALU64 ||
			   (BPF_SRC(insn->code) == BPF_TO_BE) == host_is_le;

	if (insn->imm == 16)
		return swaps ? OP_swap16 : OP_low16;
	if (insn->imm == 32)
		return swaps ? OP_swap32 : OP_low32;
	return swaps ? OP_swap64 : OP_same64;
}

static void decode_masked(const struct bpf_insn *insn, const struct offset_mask *mask,
			  struct code_insn *out)
{
	out->op = BPF_OP(insn->code) == BPF_ADD ? OP_masked_add : OP_masked_sub;
	out->imm = mask->limit;
	out->off = (mask->kind == MASK_DST ? MASKED_DST : 0) |
		   (mask->is_negative ? MASKED_NEGATIVE : 0) |
		   (mask->is_constant ? MASKED_CONSTANT : 0);
}

/* --- arenas --- */

/* The program's; a program with an instruction for one has it. */
static const struct map_desc *arena_of(const struct decoder *decoder)
{
	const struct verified *verified = decoder->verified;

	for (u32 i = 0; verified && i < verified->map_cnt; i++)
		if (verified->maps[i]->type == (u32)BPF_MAP_TYPE_ARENA)
			return verified->maps[i];
	return NULL;
}

static bool is_cast(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == BPF_ADDR_SPACE_CAST;
}

/* To the program's view: the low half. */
static void decode_cast(const struct decoder *decoder, const struct bpf_insn *insn,
			struct code_insn *out)
{
	const struct map_desc *arena = arena_of(decoder);

	out->op = OP_mov32_x;
	if (insn->imm == 1 || !arena || arena->flags & BPF_F_NO_USER_CONV)
		return;
	out->op = OP_arena_user;
	out->imm = (s64)(arena->user_start & ~0xffffffffULL);
}

static int decode_arena_access(const struct decoder *decoder, u32 at, struct code_insn *out)
{
	const struct map_desc *arena = arena_of(decoder);
	struct arena_access *access = arena_array(&decoder->code->arena, 1, sizeof(*access));

	if (!access)
		return -ENOMEM;
	access->map = map_of_desc(arena);
	access->insn = decoder->insns[at];
	out->op = OP_arena_access;
	out->imm = (s64)(uintptr_t)access;
	return 0;
}

static void decode_alu(const struct bpf_insn *insn, const struct insn_fact *fact,
		       struct code_insn *out)
{
	const bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;

	const struct offset_mask mask = fact ? insn_fact_mask(fact) : (struct offset_mask){0};

	if (mask.kind == MASK_SRC || mask.kind == MASK_DST) {
		decode_masked(insn, &mask, out);
		return;
	}

	switch (BPF_OP(insn->code)) {
	case BPF_NEG:
		out->op = is64 ? OP_neg64 : OP_neg32;
		out->src = insn->dst_reg;
		break;
	case BPF_END:
		out->op = byte_order_op(insn);
		out->src = insn->dst_reg;
		break;
	case BPF_MOV:
		if (insn->off)
			out->op = sign_extend_op(is64, insn->off);
		break;
	case BPF_DIV:
	case BPF_MOD:
		if (insn->off)
			out->op = signed_division_op(insn);
		break;
	}
}

/* --- memory --- */
static u32 access_bytes(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

static u8 size_of_bytes(u32 bytes)
{
	return bytes == 1 ? BPF_B : bytes == 2 ? BPF_H : bytes == 4 ? BPF_W : BPF_DW;
}

/*
 * An access to a context field that the engine keeps elsewhere. The field is a number of
 * field->size bytes to the program and of own_size bytes in memory; the access covers `bytes`
 * of them from bit 8 * `low`, counted from the least significant. What the own field does not
 * have reads as 0 and is not stored.
 */
static void decode_ctx(const struct bpf_insn *insn, const struct ctx_field *field,
		       struct code_insn *out)
{
	const bool is_le = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const u32 bytes = access_bytes(insn->code), at = insn->off - field->offset;
	u32 low, have;

	if (bytes > field->size || field->value != CTX_SCALAR) { /* several fields; a pointer */
		out->off = field->own_offset + at;
		have = bytes > field->size ? bytes : field->own_size;
		out->op = plain_ops[BPF_CLASS(insn->code) | BPF_MEM | size_of_bytes(have)];
		return;
	}
	low = is_le ? at : field->size - at - bytes;
	if (low >= field->own_size) {
		out->op = BPF_CLASS(insn->code) == BPF_LDX ? OP_mov64_k : OP_ja;
		out->imm = 0;
		if (out->op == OP_ja)
			out->jump = sizeof(*out);
		return;
	}
	have = min(bytes, field->own_size - low);
	out->off = field->own_offset + (is_le ? low : field->own_size - low - have);
	out->op = plain_ops[BPF_CLASS(insn->code) |
			    (have == bytes ? BPF_MODE(insn->code) : BPF_MEM) |
			    size_of_bytes(have)];
}

static u16 atomic_op(const struct bpf_insn *insn)
{
	const bool is64 = BPF_SIZE(insn->code) == BPF_DW;
	static const u16 ordered[][2] = {/* by log2 of the size: load, store */
					 {OP_load_acquire8, OP_store_release8},
					 {OP_load_acquire16, OP_store_release16},
					 {OP_load_acquire32, OP_store_release32},
					 {OP_load_acquire64, OP_store_release64}};

	switch (insn->imm) {
#define ATOMIC(name, op)                                              \
	case op: return is64 ? OP_##name##_mem64 : OP_##name##_mem32; \
	case (op) | BPF_FETCH:                                        \
		return is64 ? OP_fetch_##name##64 : OP_fetch_##name##32;
#include "run/ops.def"
	case BPF_XCHG: return is64 ? OP_xchg64 : OP_xchg32;
	case BPF_CMPXCHG: return is64 ? OP_cmpxchg64 : OP_cmpxchg32;
	default:
		return ordered[__builtin_ctz(access_bytes(insn->code))]
			      [insn->imm == BPF_STORE_REL];
	}
}

/* The field of a converted context that the instruction accesses; NULL: plain memory. */
static const struct ctx_field *ctx_field(const struct decoder *decoder,
					 const struct bpf_insn *insn,
					 const struct insn_fact *fact)
{
	const struct unproven *unproven = decoder->unproven;
	const struct ctx_field *field;

	if (fact)
		return fact->mem == MEM_CTX ? insn_fact_ctx(fact) : NULL;
	if (!unproven->type || BPF_CLASS(insn->code) != BPF_LDX ||
	    insn->src_reg != unproven->ctx_register)
		return NULL;
	field = ctx_field_find(unproven->type, 0, insn->off, access_bytes(insn->code), false);
	return field && field->flags & CTX_CONVERTED ? field : NULL;
}

static void decode_memory(const struct decoder *decoder, const struct bpf_insn *insn,
			  const struct insn_fact *fact, struct code_insn *out)
{
	const struct ctx_field *field = ctx_field(decoder, insn, fact);
	const s32 bytes = access_bytes(insn->code);

	if (BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC) {
		out->op = atomic_op(insn);
	} else if (field) {
		decode_ctx(insn, field, out);
	} else if (fact && fact->mem == MEM_BTF && BPF_CLASS(insn->code) == BPF_LDX) {
		out->op = OP_ldx_probe;
		out->imm = BPF_MODE(insn->code) == BPF_MEMSX ? -bytes : bytes;
	}
}

/* --- control --- */
static s32 jump_bytes(s64 insns)
{
	return insns * (s64)sizeof(struct code_insn);
}

static bool takes_callback(u32 id)
{
	const struct helper_row *row = helper_row(id);

	for (int i = 0; row && i < HELPER_ARGS; i++)
		if (row->arg[i].kind == ARG_FUNC)
			return true;
	return false;
}

bool prog_has_helper(u32 id)
{
	return id == BPF_FUNC_tail_call || helper_body(id);
}

static int decode_helper(struct decoder *decoder, u32 at, struct code_insn *out)
{
	const u32 id = decoder->insns[at].imm;
	const bool is_linux = decoder->verified; /* unproven code has its own numbers */
	helper_fn *body;

	if (is_linux && id == BPF_FUNC_tail_call) {
		out->op = OP_tail_call;
		return 0;
	}
	body = is_linux ? helper_body(id) : decoder->unproven->helper(id);
	if (!body)
		return bad_insn(decoder, at, -EINVAL, "the helper has no body");
	out->op = is_linux && takes_callback(id) ? OP_call_iterator : OP_call_helper;
	out->imm = (s64)(uintptr_t)body;
	return 0;
}

#define THROW "bpf_throw" /* the executors carry it out */

bool prog_has_kfunc(const char *name)
{
	return kfunc_body(name) || !strcmp(name, THROW);
}

static bool kfunc_takes_callback(const struct kfunc *kfunc)
{
	for (u32 i = 0; i < kfunc->arg_cnt; i++)
		if (kfunc->arg[i].kind == KFUNC_ARG_CALLBACK)
			return true;
	return false;
}

static bool kfunc_needs_site(const struct kfunc *kfunc)
{
	switch (kfunc->row->special) {
	case KFUNC_OBJ_NEW:
	case KFUNC_PERCPU_OBJ_NEW:
	case KFUNC_LIST_PUSH_FRONT:
	case KFUNC_LIST_PUSH_BACK:
	case KFUNC_RBTREE_ADD: return true;
	default: return false;
	}
}

static int decode_site(struct decoder *decoder, helper_fn *body, s32 node_offset,
		       struct code_insn *out)
{
	struct call_site *site = arena_alloc(&decoder->code->arena, sizeof(*site));

	if (!site)
		return error_set(decoder->err, SKEP_STAGE_RUN, -ENOMEM, "out of memory");
	*site = (struct call_site){body, decoder->code->types, node_offset};
	out->op = OP_call_site;
	out->imm = (s64)(uintptr_t)site;
	return 0;
}

static int decode_kfunc(struct decoder *decoder, u32 at, struct code_insn *out)
{
	const struct insn_fact *fact = decoder->verified ? &decoder->verified->facts[at] : NULL;
	const struct kfunc *kfunc = fact ? insn_fact_kfunc(fact) : NULL;
	helper_fn *body = !kfunc ? NULL : kfunc->row->body ?: kfunc_body(kfunc->name);

	if (kfunc && kfunc->row->special == KFUNC_THROW) {
		out->op = OP_throw;
		return 0;
	}
	if (!body)
		return bad_insn(decoder, at, -EINVAL, "the kernel function has no body");
	if (kfunc_needs_site(kfunc))
		return decode_site(decoder, body, fact->callee, out);
	out->op = kfunc_takes_callback(kfunc) ? OP_call_iterator : OP_call_helper;
	out->imm = (s64)(uintptr_t)body;
	return 0;
}

static bool is_global(const struct decoder *decoder, u32 at)
{
	s32 callee = decoder->verified->facts[at].callee;

	return decoder->verified->subprogs[callee].is_global;
}

static s32 callee_length(const struct decoder *decoder, u32 at)
{
	if (!decoder->verified)
		return 0;
	return (s32)code_length(decoder->code, (u32)decoder->verified->facts[at].callee);
}

static int decode_call(struct decoder *decoder, u32 at, struct code_insn *out)
{
	const struct bpf_insn *insn = &decoder->insns[at];

	out->off = decoder->code->frame_bytes[at];
	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL ||
	    (decoder->verified && insn_is_host_helper(insn)))
		return decode_kfunc(decoder, at, out);
	if (!insn->src_reg)
		return decode_helper(decoder, at, out);
	if (insn->src_reg != BPF_PSEUDO_CALL)
		return bad_insn(decoder, at, -EINVAL, "this kind of call has no body");
	out->op = OP_call_local;
	out->operand = callee_length(decoder, at);
	out->jump = jump_bytes((s64)insn->imm + 1);
	if (decoder->code->extensions && is_global(decoder, at)) {
		out->op = OP_call_global;
		out->operand = decoder->verified->facts[at].callee;
	}
	return 0;
}

static int decode_jump(struct decoder *decoder, u32 at, struct code_insn *out)
{
	const struct bpf_insn *insn = &decoder->insns[at];
	const bool far = insn->code == (BPF_JMP32 | BPF_JA);

	if (BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) == BPF_CALL)
		return decode_call(decoder, at, out);
	out->operand = insn->imm;
	out->jump = jump_bytes((far ? (s64)insn->imm : insn->off) + 1);
	return 0;
}

/* --- wide immediates, packet loads --- */
static void decode_ld(struct decoder *decoder, u32 at, const struct insn_fact *fact,
		      struct code_insn *out)
{
	const struct bpf_insn *insn = &decoder->insns[at];

	if (BPF_MODE(insn->code) != BPF_IMM) {
		out->op = BPF_MODE(insn->code) == BPF_ABS ? OP_ld_abs : OP_ld_ind;
		out->off = access_bytes(insn->code);
		return;
	}
	out->op = OP_ld_imm64;
	if (insn->src_reg == BPF_PSEUDO_FUNC)
		out->imm = (s64)(uintptr_t)&decoder->code->insns[at + 1 + insn->imm];
	else if (fact &&
		 (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_IDX))
		out->imm = ptr_to_u64(map_of_desc(fact->map)); /* what helpers take */
	else if (fact)
		out->imm = insn_fact_imm64(fact);
	else
		out->imm = (u64)(u32)insn->imm | (u64)(u32)insn[1].imm << 32;
}

static int decode_insn(struct decoder *decoder, u32 at)
{
	const struct bpf_insn *insn = &decoder->insns[at];
	const struct insn_fact *fact = decoder->verified ? &decoder->verified->facts[at] : NULL;
	struct code_insn *out = &decoder->code->insns[at];

	out->op = OP_dead;
	if (fact && !fact->visited)
		return 0;
	if (fact && fact->mem == MEM_KERNEL)
		return bad_insn(decoder, at, -EOPNOTSUPP,
				"needs memory that only a kernel has");
	if (fact && fact->mem == MEM_ARENA)
		return decode_arena_access(decoder, at, out);
	out->op = plain_ops[insn->code];
	out->dst = insn->dst_reg;
	out->src = insn->src_reg;
	out->off = insn->off;
	out->imm = insn->imm;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (is_cast(insn))
			decode_cast(decoder, insn, out);
		else
			decode_alu(insn, fact, out);
		return 0;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX: decode_memory(decoder, insn, fact, out); return 0;
	case BPF_LD: decode_ld(decoder, at, fact, out); return 0;
	default: return decode_jump(decoder, at, out);
	}
}

static int decode_all(struct decoder *decoder, u32 count)
{
	for (u32 at = 0; at < count; at++) {
		int err = decode_insn(decoder, at);

		if (err)
			return err;
		if (decoder->insns[at].code == (BPF_LD | BPF_IMM | BPF_DW))
			decoder->code->insns[++at].op = OP_dead; /* second slot */
	}
	return 0;
}

/* Nothing is known of the stack of unproven code: each subprogram gets all there is. */
static void frames_fill(struct prog_code *code, const struct verified *verified)
{
	for (u32 i = 0; i < code->insn_cnt; i++)
		code->frame_bytes[i] = STACK_BYTES;
	for (u32 s = 0; verified && s < verified->subprog_cnt; s++)
		for (u32 i = verified->subprogs[s].start; i < verified->subprogs[s].end; i++)
			code->frame_bytes[i] = verified->subprogs[s].stack_depth;
}

static void exception_find(struct prog_code *code, const struct verified *verified)
{
	for (u32 s = 0; verified && s < verified->subprog_cnt; s++)
		if (verified->subprogs[s].is_exception_callback)
			code->exception = &code->insns[verified->subprogs[s].start];
}

static int extensions_init(struct prog_code *code, const struct verified *verified)
{
	bool has_global = false;

	for (u32 s = 0; verified && s < verified->subprog_cnt; s++)
		has_global |= verified->subprogs[s].is_global;
	if (!has_global)
		return 0;
	code->extensions =
		arena_array(&code->arena, verified->subprog_cnt, sizeof(*code->extensions));
	return code->extensions ? 0 : -ENOMEM;
}

/* The code lives in its own arena. One more instruction than the program has: falling off the
 * end of unproven code meets OP_dead. */
static struct prog_code *code_new(u32 count, const struct verified *verified)
{
	struct prog_code *code = calloc(1, sizeof(*code));

	if (!code)
		return NULL;
	arena_init(&code->arena);
	code->insn_cnt = count;
	code->verified = verified;
	code->insns = arena_array(&code->arena, (size_t)count + 1, sizeof(*code->insns));
	code->frame_bytes = arena_array(&code->arena, count, sizeof(*code->frame_bytes));
	if (!code->insns || !code->frame_bytes || extensions_init(code, verified)) {
		code_free(code);
		return NULL;
	}
	code->insns[count].op = OP_dead;
	frames_fill(code, verified);
	exception_find(code, verified);
	return code;
}

void code_free(struct prog_code *code)
{
	if (!code)
		return;
	own_types_free(code->types);
	arena_done(&code->arena);
	free(code);
}

static int add_types(struct prog_code *code, const struct prog_types *types)
{
	if (!types)
		return 0;
	code->types = own_types_new(types->world, types->btf, types->view);
	return code->types ? 0 : -ENOMEM;
}

static int build(struct decoder *decoder, u32 count, struct prog_code **out)
{
	int err;

	if (arena_of(decoder) && !arena_of(decoder)->user_start)
		return error_set(decoder->err, SKEP_STAGE_RUN, -EINVAL,
				 "arena's user address must be set via map_extra or mmap()");
	decoder->code = code_new(count, decoder->verified);
	if (!decoder->code || add_types(decoder->code, decoder->types)) {
		code_free(decoder->code);
		return error_set(decoder->err, SKEP_STAGE_RUN, -ENOMEM, "out of memory");
	}
	err = decode_all(decoder, count);
	if (err) {
		code_free(decoder->code);
		return err;
	}
	*out = decoder->code;
	return 0;
}

int code_build(const struct verified *verified, const struct prog_types *types,
	       struct prog_code **out, struct skep_error *err)
{
	struct decoder decoder = {
		.insns = verified->insns, .verified = verified, .types = types, .err = err};
	int ret = build(&decoder, verified->insn_cnt, out);

	if (!ret) {
		(*out)->type = verified->type;
		code_bind(*out);
	}
	return ret;
}

/* What decoding itself relies on: known operations, whole instructions, registers that exist.
 * The rest (shift counts, divisors, reserved fields) has a meaning at run time. */
static int check_form(const struct decoder *decoder, u32 count)
{
	int ret = insns_check_codes(decoder->insns, count, decoder->err);

	for (u32 at = 0; !ret && at < count; at++) {
		const struct bpf_insn *insn = &decoder->insns[at];

		if (insn_op(insn) == INSN_INVALID)
			ret = bad_insn(decoder, at, -EINVAL, "no such instruction");
		else if (insn->dst_reg >= MAX_BPF_REG ||
			 (insn->src_reg >= MAX_BPF_REG && !insn_is_wide(insn)))
			ret = bad_insn(decoder, at, -EINVAL, "no such register");
		at += insn_is_wide(insn);
	}
	return ret;
}

int code_build_unproven(const struct unproven *input, struct prog_code **out,
			struct skep_error *err)
{
	struct decoder decoder = {.insns = input->insns, .unproven = input, .err = err};
	int ret = check_form(&decoder, input->count);

	ret = ret ?: build(&decoder, input->count, out);
	if (!ret)
		(*out)->type = input->type;
	return ret;
}
