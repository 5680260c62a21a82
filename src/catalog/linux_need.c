/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/linux_need.h"
#include "catalog/helper.h"
#include "catalog/map_type.h"
#include "catalog/prog.h"

#include <stdlib.h>

/* Programs were at most this long before Linux 5.2. */
#define SHORT_PROGRAM 4096

static bool is_jump(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static bool is_alu(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ALU || BPF_CLASS(insn->code) == BPF_ALU64;
}

static bool is_call(const struct bpf_insn *insn, u8 pseudo)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == pseudo;
}

static bool is_load64(const struct bpf_insn *insn, u8 pseudo)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == pseudo;
}

static bool is_atomic(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC;
}

static bool uses_less_than_jump(const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);

	return is_jump(insn) &&
	       (op == BPF_JLT || op == BPF_JLE || op == BPF_JSLT || op == BPF_JSLE);
}

static bool uses_local_call(const struct bpf_insn *insn)
{
	return is_call(insn, BPF_PSEUDO_CALL);
}

static bool uses_jump32(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP32 && is_jump(insn);
}

static bool uses_map_value(const struct bpf_insn *insn)
{
	return is_load64(insn, BPF_PSEUDO_MAP_VALUE);
}

static bool uses_backward_jump(const struct bpf_insn *insn)
{
	if (insn->code == (BPF_JMP32 | BPF_JA))
		return insn->imm < 0;
	return is_jump(insn) && BPF_OP(insn->code) != BPF_JCOND && insn->off < 0;
}

static bool uses_kernel_variable(const struct bpf_insn *insn)
{
	return is_load64(insn, BPF_PSEUDO_BTF_ID);
}

static bool uses_acquire_release(const struct bpf_insn *insn)
{
	return is_atomic(insn) && (insn->imm == BPF_LOAD_ACQ || insn->imm == BPF_STORE_REL);
}

static bool uses_atomic(const struct bpf_insn *insn)
{
	return is_atomic(insn) && insn->imm != BPF_ADD && !uses_acquire_release(insn);
}

static bool uses_callback(const struct bpf_insn *insn)
{
	return is_load64(insn, BPF_PSEUDO_FUNC);
}

static bool uses_kernel_function(const struct bpf_insn *insn)
{
	return is_call(insn, BPF_PSEUDO_KFUNC_CALL);
}

static bool uses_map_index(const struct bpf_insn *insn)
{
	return is_load64(insn, BPF_PSEUDO_MAP_IDX) || is_load64(insn, BPF_PSEUDO_MAP_IDX_VALUE);
}

static bool uses_sign_extending_load(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_LDX && BPF_MODE(insn->code) == BPF_MEMSX;
}

static bool uses_address_space_cast(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == BPF_ADDR_SPACE_CAST;
}

static bool uses_sign_extending_move(const struct bpf_insn *insn)
{
	return is_alu(insn) && BPF_OP(insn->code) == BPF_MOV && insn->off &&
	       !uses_address_space_cast(insn);
}

static bool uses_signed_division(const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);

	return is_alu(insn) && (op == BPF_DIV || op == BPF_MOD) && insn->off;
}

static bool uses_byte_swap(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ALU64 && BPF_OP(insn->code) == BPF_END;
}

static bool uses_long_jump(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP32 | BPF_JA);
}

static bool uses_may_goto(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_JCOND);
}

static const struct feature {
	const char *since, *what;
	bool (*is_used)(const struct bpf_insn *insn);
} features[] = {
#define FEATURE(name, first, words) {first, words, uses_##name},
#include "catalog/linux.def"
};

int linux_version_compare(const char *one, const char *other)
{
	char *minor, *other_minor;
	long difference = strtol(one, &minor, 10) - strtol(other, &other_minor, 10);

	return difference ?: strtol(minor + 1, NULL, 10) - strtol(other_minor + 1, NULL, 10);
}

static void raise(struct linux_need *need, const char *since, const char *kind,
		  const char *what, s32 insn)
{
	if (linux_version_compare(since, need->since) > 0)
		*need = (struct linux_need){since, kind, what, insn};
}

static void raise_by_insn(struct linux_need *need, const struct bpf_insn *insn, u32 index)
{
	for (u32 i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].is_used(insn))
			raise(need, features[i].since, "instructions", features[i].what, index);
	if (is_call(insn, 0)) {
		const struct helper_row *helper = helper_row(insn->imm);

		if (helper)
			raise(need, helper->since, "helper", helper->name, index);
	}
}

struct linux_need linux_need_of_prog(enum bpf_prog_type type, enum bpf_attach_type attach_type,
				     const struct bpf_insn *insns, u32 count)
{
	const struct attach_row *attach = attach_row(attach_type);
	const struct prog_row *prog = prog_row(type);
	struct linux_need need = {"3.18", "instructions", "eBPF", -1};

	if (prog)
		raise(&need, prog->since, "program type", prog->name, -1);
	if (attach && (attach->progs & PROG_BIT(type)))
		raise(&need, attach->since, "attach type", attach->name, -1);
	if (count > SHORT_PROGRAM)
		raise(&need, "5.2", "instructions", "more than 4096 of them", SHORT_PROGRAM);
	for (u32 i = 0; i < count; i++) {
		raise_by_insn(&need, &insns[i], i);
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
	}
	return need;
}

struct linux_need linux_need_of_map(enum bpf_map_type type)
{
	const struct map_type_row *row = map_type_row(type);
	struct linux_need need = {"3.18", "map", "unknown", -1};

	if (row)
		raise(&need, row->since, "map", row->name, -1);
	return need;
}
