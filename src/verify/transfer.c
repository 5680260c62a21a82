/* SPDX-License-Identifier: BSD-2-Clause */
/* Carries out one instruction whose requirements were shown: loads, stores, and the rest by
 * class. */
#include "verify/facts.h"
#include "verify/kfunc.h"
#include "verify/memory.h"
#include "verify/object.h"
#include "verify/precision.h"
#include "verify/walk.h"

/* --- loads --- */

static enum reg_kind field_kind(const struct ctx_field *field)
{
	switch ((enum ctx_value)field->value) {
	case CTX_SCALAR: return REG_SCALAR;
	case CTX_PACKET: return REG_PACKET;
	case CTX_PACKET_META: return REG_PACKET_META;
	case CTX_PACKET_END: return REG_PACKET_END;
	case CTX_FLOW_KEYS: return REG_FLOW_KEYS;
	case CTX_SOCK_COMMON_OR_NULL: return REG_SOCK_COMMON;
	case CTX_SOCK_OR_NULL:
	case CTX_SOCKET: return REG_SOCKET;
	case CTX_BUFFER: return REG_TP_BUFFER;
	case CTX_BTF_POINTER: return REG_BTF;
	}
	return REG_SCALAR;
}

static void load_through_object(struct walk *walk, struct reg_state *dst)
{
	const struct loaded *loaded = &walk->access.loaded;

	if (loaded->kind == REG_SCALAR) {
		reg_set_scalar(dst, scalar_unsigned_bytes(walk->access.size));
		return;
	}
	reg_set_pointer(dst, loaded->kind);
	dst->flags = loaded->flags;
	if (loaded->kind == REG_BTF) {
		dst->btf = loaded->btf;
		dst->type_id = loaded->type_id;
		dst->ref_id = loaded->ref_id;
	} else if (loaded->kind == REG_MEM) {
		dst->mem_size = loaded->mem_size;
	}
	if (reg_may_be_null(dst))
		dst->id = walk_new_id(walk);
}

static void load_field(struct walk *walk, struct reg_state *dst)
{
	const struct ctx_field *field = walk->access.field;
	enum reg_kind kind = field_kind(field);

	if (field->value == CTX_BTF_POINTER) {
		load_through_object(walk, dst);
		return;
	}
	if (kind == REG_SCALAR) {
		reg_set_scalar(dst, scalar_unsigned_bytes(walk->access.size));
		return;
	}
	reg_set_pointer(dst, kind);
	if (field->value == CTX_SOCK_COMMON_OR_NULL || field->value == CTX_SOCK_OR_NULL) {
		dst->flags |= REG_MAY_BE_NULL;
		dst->id = walk_new_id(walk);
	}
}

/* `base` may be `dst`. */
static void load_memory(struct walk *walk, const struct reg_state *base, struct reg_state *dst)
{
	u32 size = walk->access.size;
	u64 value;

	if (base->kind == REG_STACK)
		stack_load(walk, dst);
	else if (base->kind == REG_CTX)
		load_field(walk, dst);
	else if (base->kind == REG_BTF || base->kind == REG_MAP)
		load_through_object(walk, dst);
	else if (walk->access.loaded.kind != REG_NOT_INIT)
		load_through_object(walk, dst);
	else if (memory_constant(walk, base, size, &value))
		reg_set_const(dst, value);
	else
		reg_set_scalar(dst, scalar_unsigned_bytes(size));
}

/* The offset decided which memory was accessed. */
static void note_access(struct walk *walk, u32 reg)
{
	if (walk_reg(walk, reg)->kind == REG_STACK)
		path_note_stack(walk);
}

int transfer_load(struct walk *walk, const struct bpf_insn *insn)
{
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);

	note_access(walk, insn->src_reg);
	load_memory(walk, walk_reg(walk, insn->src_reg), dst);
	if (BPF_MODE(insn->code) == BPF_MEMSX && dst->kind == REG_SCALAR) {
		reg_unlink(dst);
		scalar_sign_extend(&dst->number, walk->access.size);
	}
	return 0;
}

/* --- stores --- */

int transfer_store(struct walk *walk, const struct bpf_insn *insn)
{
	bool is_reg = BPF_CLASS(insn->code) == BPF_STX;

	note_access(walk, insn->dst_reg);
	if (walk_reg(walk, insn->dst_reg)->kind != REG_STACK)
		return 0;
	stack_store(walk, is_reg ? walk_reg(walk, insn->src_reg) : NULL, insn->imm);
	return 0;
}

/* The old value, for operations that fetch it. */
static void atomic_fetch(struct walk *walk, const struct bpf_insn *insn,
			 const struct reg_state *base)
{
	u32 fetched = insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg;
	struct reg_state old;

	load_memory(walk, base, &old);
	if (old.kind == REG_SCALAR)
		reg_unlink(&old);
	*walk_reg(walk, fetched) = old;
}

int transfer_atomic(struct walk *walk, const struct bpf_insn *insn)
{
	const struct reg_state base =
		*walk_reg(walk, insn->imm == BPF_LOAD_ACQ ? insn->src_reg : insn->dst_reg);

	if (insn->imm == BPF_LOAD_ACQ)
		return transfer_load(walk, insn);
	if (insn->imm == BPF_STORE_REL)
		return transfer_store(walk, insn);
	note_access(walk, insn->dst_reg);
	if (insn->imm & BPF_FETCH)
		atomic_fetch(walk, insn, &base);
	if (base.kind == REG_STACK)
		stack_clobber(walk, &walk->access);
	return 0;
}

/* --- ld_imm64, resolved before the walk --- */

int transfer_wide(struct walk *walk, const struct bpf_insn *insn)
{
	const struct insn_fact *fact = &walk->out->facts[walk->at];
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);

	walk->next = walk->at + 2;
	switch (insn->src_reg) {
	case 0: reg_set_const(dst, insn_fact_imm64(fact)); break;
	case BPF_PSEUDO_FUNC:
		reg_set_pointer(dst, REG_FUNC);
		dst->subprog = (u64)fact->callee;
		break;
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		if (fact->map->type == BPF_MAP_TYPE_ARENA) {
			reg_set_unknown(dst); /* user space's address */
			break;
		}
		reg_set_pointer(dst, REG_MAP_VALUE);
		dst->map = fact->map;
		dst->off = insn[1].imm;
		break;
	case BPF_PSEUDO_BTF_ID: return object_load_variable(walk, insn, dst);
	default:
		reg_set_pointer(dst, REG_MAP);
		dst->map = fact->map;
		break;
	}
	return 0;
}

/* --- LD_ABS, LD_IND --- */

int transfer_packet_load(struct walk *walk, const struct bpf_insn *insn)
{
	int ret = subprogram_may_end(walk, scalar_const(0));

	if (ret)
		return ret;
	for (u32 i = BPF_REG_0; i <= BPF_REG_5; i++)
		reg_set_not_init(walk_reg(walk, i));
	reg_set_unknown(walk_reg(walk, BPF_REG_0));
	return 0;
}

/* --- by class --- */

static int transfer_jump(struct walk *walk, const struct bpf_insn *insn)
{
	walk->jumps_processed++;
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		walk->next = walk->at + 1 +
			     (BPF_CLASS(insn->code) == BPF_JMP ? insn->off : insn->imm);
		return 0;
	case BPF_CALL:
		if (insn_is_kfunc_call(insn))
			return transfer_kfunc(walk);
		if (insn->src_reg == 0)
			return transfer_helper(walk, insn);
		transfer_subprog_call(walk);
		return 0;
	case BPF_EXIT: return transfer_exit(walk);
	default: return transfer_branch(walk, insn);
	}
}

int transfer(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);

	walk->next = walk->at + 1;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: return transfer_alu(walk, insn);
	case BPF_LD:
		return BPF_MODE(insn->code) == BPF_IMM ? transfer_wide(walk, insn)
						       : transfer_packet_load(walk, insn);
	case BPF_LDX: return transfer_load(walk, insn);
	case BPF_ST: return transfer_store(walk, insn);
	case BPF_STX:
		return BPF_MODE(insn->code) == BPF_ATOMIC ? transfer_atomic(walk, insn)
							  : transfer_store(walk, insn);
	default: return transfer_jump(walk, insn);
	}
}
