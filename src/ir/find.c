/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in hash maps that machine code does itself, as far as one look at the key's bucket
 * goes. */
#include "catalog/helper.h"
#include "ir/frame.h"
#include "map/hash.h"
#include "run/run.h"

#define FIND_WORDS_MAX (FIND_ARGS - FIND_WORDS)

/* --- what is read of the frame --- */

s64 ir_touched(const struct ir_function *fn, const struct ir_insn *insn, u32 index)
{
	const struct verified *verified = fn->prog->verified;
	const struct bpf_insn *call = &verified->insns[insn->at];
	const struct map_desc *map = insn_fact_map(&verified->facts[insn->at]);
	const struct helper_row *row;
	ir_ref size;

	if (insn->op == IR_find && insn->arg_cnt > FIND_WORDS)
		return 0;
	if ((insn->op != IR_call && insn->op != IR_call_map && insn->op != IR_find) ||
	    call->src_reg)
		return -1;
	row = helper_row_for((u32)call->imm, verified->type);
	if (!row || index >= HELPER_ARGS)
		return -1;
	switch (row->arg[index].kind) {
	case ARG_MAP_KEY: return map ? (s64)map->key_size : -1;
	case ARG_MAP_VALUE: return map ? (s64)map->value_size : -1;
	case ARG_FIXED_MEM: return row->arg[index].size;
	case ARG_MEM:
		if (index + 1 >= insn->arg_cnt)
			return -1;
		size = ir_value(fn, fn->args[insn->args + index + 1]);
		return ir_is_const(fn, size) ? ir_at(fn, size)->imm : -1;
	default: return -1;
	}
}

/* --- look-ups --- */

/* The hash map that the call looks a key up in; NULL: it does something else. */
static const struct hash *hash_of_call(const struct ir_function *fn, const struct ir_insn *insn)
{
	const struct map_desc *desc = insn_fact_map(&fn->prog->verified->facts[insn->at]);
	ir_ref value;
	const struct map *map;

	if (insn->op != IR_call_map || !desc)
		return NULL;
	value = ir_value(fn, fn->args[insn->args]);
	map = map_of_desc(desc);
	if (!ir_is_const(fn, value) || ir_at(fn, value)->imm != (s64)ptr_to_u64(map) ||
	    insn->imm != (s64)ptr_to_u64(map->lookup))
		return NULL;
	return hash_for_code(map);
}

/* The key's words, when all are known: how many. */
static u32 words_of(struct ir_function *fn, ir_ref at, u32 key_size, ir_ref *out)
{
	const struct ir_insn *key =
		ir_at(fn, ir_value(fn, fn->args[ir_at(fn, at)->args + FIND_KEY]));
	const s64 offset = key->imm;
	u32 count = 0;

	if (key->op != IR_frame || key_size > 8 * FIND_WORDS_MAX)
		return 0;
	for (u32 from = 0; from < key_size; from += 8) {
		out[count] = ir_frame_value(fn, at, offset + from, min(key_size - from, 8u));
		if (!out[count++])
			return 0;
	}
	return count;
}

static void find(struct ir_function *fn, ir_ref at)
{
	const struct hash *hash = hash_of_call(fn, ir_at(fn, at));
	ir_ref words[FIND_WORDS_MAX];
	struct ir_insn *insn;
	u32 args, count;

	if (!hash || !hash_key_is_short(hash))
		return;
	count = words_of(fn, at, hash->map.desc.key_size, words);
	args = ir_new_args(fn, FIND_WORDS + count);
	if (fn->failed)
		return;
	insn = ir_at(fn, at);
	for (u32 i = 0; i < FIND_WORDS; i++)
		fn->args[args + i] = fn->args[insn->args + i];
	for (u32 i = 0; i < count; i++)
		fn->args[args + FIND_WORDS + i] = words[i];
	insn->op = IR_find;
	insn->args = args;
	insn->arg_cnt = (u16)(FIND_WORDS + count);
}

void ir_find(struct ir_function *fn)
{
	if (!fn->matches_bytes || fn->prog->is_blinded)
		return;
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at && !fn->failed;
		     at = ir_at(fn, at)->next)
			find(fn, at);
}
