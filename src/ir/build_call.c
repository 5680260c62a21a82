/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: with the arguments that the callee takes, and no others. */
#include "catalog/kfunc.h"
#include "ir/build.h"
#include "map/map.h"
#include "verify/kfunc_proto.h"

#include <errno.h>

/* Values of so many bytes are copied by the program itself. */
#define ROW_BYTES_MAX  24
#define ROW_PIECES_MAX (ROW_BYTES_MAX / 8 + 3)

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

/* `inside` where the index is one of a row, else `beyond`. */
static ir_ref by_index(struct build *build, const struct map_rows *rows, ir_ref index,
		       ir_ref inside, ir_ref beyond)
{
	const u32 args = ir_new_args(build->fn, 2);
	const ir_ref count = build_const(build, rows->count);

	build->fn->args[args] = index;
	build->fn->args[args + 1] = count;
	return build_emit(build, &(struct ir_insn){.op = IR_select,
						   .width = IR_64,
						   .cond = IR_ULT,
						   .a = inside,
						   .b = beyond,
						   .args = args,
						   .arg_cnt = 2});
}

static ir_ref load(struct build *build, ir_ref address, u32 bytes, s64 at)
{
	return build_emit(build, &(struct ir_insn){.op = IR_load,
						   .width = IR_64,
						   .bytes = (u8)bytes,
						   .a = address,
						   .imm = at});
}

/* The widest access to a part of so many bytes. */
static u32 piece_bytes(u32 bytes)
{
	return 1u << (31 - __builtin_clz(min(bytes, 8u)));
}

/* Where the row of the index is, if there is one. */
static ir_ref row_address(struct build *build, const struct map_rows *rows, ir_ref index)
{
	ir_ref address = build_binary(build, IR_mul, IR_64, index, build_const(build, rows->stride));

	if (rows->slot_stride)
		address = build_binary(build, IR_add, IR_64, address,
				       build_binary(build, IR_mul, IR_64, slot(build),
						    build_const(build, rows->slot_stride)));
	return build_binary(build, IR_add, IR_64, address,
			    build_const(build, ptr_to_u64(rows->values)));
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
	ir_ref index, address;

	if (build->is_blinded || !map_rows(map, &rows))
		return map_call(build, 2, map->lookup);
	index = load(build, build_reg(build, BPF_REG_2), sizeof(u32), 0);
	address = row_address(build, &rows, index);
	return by_index(build, &rows, index, address, build_const(build, 0));
}

/* Where what is written behind the last row goes; nobody reads it. */
static u8 nowhere[ROW_BYTES_MAX];

/* An update is a few loads and stores when it is known to be no insertion. */
static bool is_plain_update(const struct build *build, const struct map *map, ir_ref flags,
			    struct map_rows *rows)
{
	const struct ir_insn *insn = ir_at(build->fn, ir_value(build->fn, flags));

	return !build->is_blinded && map->desc.value_size <= ROW_BYTES_MAX &&
	       !map->desc.fields.count && insn->op == IR_const &&
	       (insn->imm == BPF_ANY || insn->imm == BPF_EXIST) && map_rows(map, rows);
}

/* All of the value is read before any of it is written: it may be the row's own. */
static ir_ref update_row(struct build *build, const struct map *map, const struct map_rows *rows)
{
	const ir_ref value = build_reg(build, BPF_REG_3),
		     index = load(build, build_reg(build, BPF_REG_2), sizeof(u32), 0),
		     row = row_address(build, rows, index),
		     to = by_index(build, rows, index, row,
				   build_const(build, ptr_to_u64(nowhere)));
	const u32 size = map->desc.value_size;
	ir_ref pieces[ROW_PIECES_MAX];
	u32 count = 0;

	for (u32 at = 0, bytes; at < size; at += bytes) {
		bytes = piece_bytes(size - at);
		pieces[count++] = load(build, value, bytes, at);
	}
	count = 0;
	for (u32 at = 0, bytes; at < size; at += bytes) {
		bytes = piece_bytes(size - at);
		build_emit(build, &(struct ir_insn){.op = IR_store,
						    .width = IR_64,
						    .bytes = (u8)bytes,
						    .a = to,
						    .b = pieces[count++],
						    .imm = at});
	}
	return by_index(build, rows, index, build_const(build, 0), build_const(build, (u64)-E2BIG));
}

/* The program sees the result in 64 bits. */
static ir_ref update(struct build *build, const struct map *map)
{
	struct map_rows rows;

	if (is_plain_update(build, map, build_reg(build, BPF_REG_4), &rows))
		return update_row(build, map, &rows);
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
