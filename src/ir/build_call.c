/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: with the arguments that the callee takes, and no others. */
#include "catalog/kfunc.h"
#include "ir/build.h"
#include "map/map.h"
#include "verify/kfunc_proto.h"

static ir_ref call(struct build *build, enum ir_op op, u32 arg_cnt, s64 imm)
{
	u32 args = ir_new_args(build->fn, max(arg_cnt, 1u));

	for (u32 i = 0; i < arg_cnt; i++) {
		ir_ref value = build_reg(build, (u8)(BPF_REG_1 + i));

		build->fn->args[args + i] = value;
	}
	return build_emit(build, &(struct ir_insn){.op = op,
						   .width = IR_64,
						   .args = args,
						   .arg_cnt = (u16)arg_cnt,
						   .imm = imm});
}

static u32 helper_arg_cnt(const struct build *build, u32 id)
{
	const struct helper_row *row = helper_row_for(id, build->verified->type);
	u32 count = HELPER_ARGS;

	if (!row || row->flags & HELPER_ALL_ARGS)
		return HELPER_ARGS;
	while (count && row->arg[count - 1].kind == ARG_NONE)
		count--;
	return count;
}

/* The map that the call is always with; NULL: it is found out when the program runs. */
static const struct map *map_of_call(const struct build *build)
{
	const struct map_desc *desc = insn_fact_map(&build->verified->facts[build->at]);

	for (u32 i = 0; desc && i < build->verified->map_cnt; i++)
		if (build->verified->maps[i] == desc)
			return map_of_desc(desc);
	return NULL;
}

static ir_ref slot(struct build *build)
{
	return build_emit(build, &(struct ir_insn){.op = IR_slot, .width = IR_32});
}

/* The address of a row, or 0 beyond the last. */
static ir_ref row_address(struct build *build, const struct map_rows *rows)
{
	ir_ref key = build_reg(build, BPF_REG_2), index, address, selection;
	u32 args;

	index = build_emit(build, &(struct ir_insn){
					  .op = IR_load, .width = IR_64, .bytes = 4, .a = key});
	address = build_binary(build, IR_mul, IR_64, index, build_const(build, rows->stride));
	if (rows->slot_stride)
		address = build_binary(build, IR_add, IR_64, address,
				 build_binary(build, IR_mul, IR_64, slot(build),
					build_const(build, rows->slot_stride)));
	address = build_binary(build, IR_add, IR_64, address,
			 build_const(build, ptr_to_u64(rows->values)));
	args = ir_new_args(build->fn, 2);
	build->fn->args[args] = index;
	selection = build_const(build, rows->count);
	build->fn->args[args + 1] = selection;
	selection = build_const(build, 0);
	return build_emit(build, &(struct ir_insn){.op = IR_select,
						   .width = IR_64,
						   .cond = IR_ULT,
						   .a = address,
						   .b = selection,
						   .args = args,
						   .arg_cnt = 2});
}

static ir_ref map_call(struct build *build, u32 arg_cnt, const void *function)
{
	ir_ref call_ref, number = slot(build);

	call_ref = call(build, IR_call_map, arg_cnt + 1, (s64)ptr_to_u64(function));
	build->fn->args[build->fn->insns[call_ref].args + arg_cnt] = number;
	return call_ref;
}

static ir_ref lookup(struct build *build, const struct map *map)
{
	struct map_rows rows;

	if (!build->is_blinded && map_rows(map, &rows))
		return row_address(build, &rows);
	return map_call(build, 2, map->lookup);
}

/* The program sees the result in 64 bits. */
static ir_ref update(struct build *build, const struct map *map)
{
	return build_emit(build, &(struct ir_insn){.op = IR_sext32,
						   .width = IR_64,
						   .a = map_call(build, 4, map->update)});
}

static ir_ref helper(struct build *build, const struct code_insn *insn)
{
	const u32 id = (u32)build->verified->insns[build->at].imm;
	const struct map *map = map_of_call(build);

	if (id == BPF_FUNC_map_lookup_elem && map && map->lookup)
		return lookup(build, map);
	if (id == BPF_FUNC_map_update_elem && map && map->update)
		return update(build, map);
	if (id == BPF_FUNC_get_smp_processor_id)
		return slot(build);
	return call(build, IR_call, helper_arg_cnt(build, id), insn->imm);
}

/* Arguments beyond what its type says do not count; one that says too little does not exist. */
static u32 kfunc_arg_cnt(const struct build *build)
{
	const struct kfunc *kfunc = insn_fact_kfunc(&build->verified->facts[build->at]);

	return kfunc ? min(kfunc->arg_cnt, (u32)HELPER_ARGS) : HELPER_ARGS;
}

void build_call(struct build *build, const struct code_insn *insn)
{
	const bool is_kfunc =
		build->verified->insns[build->at].src_reg == BPF_PSEUDO_KFUNC_CALL;
	/* The others neither call back nor go on elsewhere. */
	const bool shows_fuel = insn->op != OP_call_helper;
	ir_ref result;

	if (insn->op == OP_call_local || insn->op == OP_call_global)
		build_burn_call(build);
	if (shows_fuel)
		build_fuel_out(build);
	if (insn->op == OP_call_local)
		result = call(build, IR_call_local, 5, build->verified->facts[build->at].callee);
	else if (insn->op == OP_call_global)
		result = call(build, IR_call_global, 5, insn->operand);
	else if (insn->op == OP_tail_call)
		result = call(build, IR_tail_call, 3, 0);
	else if (insn->op == OP_call_site)
		result = call(build, IR_call_site, kfunc_arg_cnt(build), insn->imm);
	else if (is_kfunc)
		result = call(build, IR_call, kfunc_arg_cnt(build), insn->imm);
	else
		result = helper(build, insn);
	if (insn->op == OP_tail_call)
		result = build_const(build, 0);
	build_set_reg(build, BPF_REG_0, result);
	if (shows_fuel)
		build_fuel_back(build);
}
