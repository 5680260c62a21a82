/* SPDX-License-Identifier: BSD-2-Clause */
/* The representation as text. */
#include "base/strbuf.h"
#include "ir/ir.h"

static const char *const conditions[IR_CONDS] = {
	[IR_EQ] = "==",	  [IR_NE] = "!=",   [IR_ULT] = "<u",  [IR_UGE] = ">=u",
	[IR_UGT] = ">u",  [IR_ULE] = "<=u", [IR_SLT] = "<s",  [IR_SGE] = ">=s",
	[IR_SGT] = ">s",  [IR_SLE] = "<=s", [IR_ANY] = "&",   [IR_NONE] = "!&",
};

static bool has_condition(const struct ir_insn *insn)
{
	return insn->op == IR_branch || insn->op == IR_select;
}

static void print_insn(struct ir_function *fn, ir_ref at, struct strbuf *out)
{
	struct ir_insn *insn = ir_at(fn, at);

	strbuf_addf(out, "%8u  ", insn->at);
	if (ir_traits[insn->op] & IR_RESULT)
		strbuf_addf(out, "v%u = ", at);
	strbuf_addf(out, "%s", ir_names[insn->op]);
	if (!(ir_traits[insn->op] & IR_END) && insn->width == IR_32)
		strbuf_addf(out, ".32");
	if (insn->bytes)
		strbuf_addf(out, "%s%u", insn->is_signed ? ".s" : ".u", insn->bytes * 8);
	if (has_condition(insn))
		strbuf_addf(out, " %s%s", conditions[insn->cond],
			      insn->width == IR_32 ? ".32" : "");
	IR_FOR_EACH_OPERAND(fn, insn, place)
		strbuf_addf(out, " v%u", ir_value(fn, *place));
	if (insn->scale)
		strbuf_addf(out, " << %u", insn->scale);
	if (insn->imm || insn->op == IR_const)
		strbuf_addf(out, " %+lld", insn->imm);
	strbuf_addc(out, '\n');
}

static void print_block(struct ir_function *fn, u32 index, struct strbuf *out)
{
	const struct ir_block *block = &fn->blocks[index];

	strbuf_addf(out, "block %u", index);
	for (u32 i = 0; i < block->pred_cnt; i++)
		strbuf_addf(out, "%s%u", i ? ", " : " from ", block->pred[i]);
	if (block->depth)
		strbuf_addf(out, ", loop of %u, depth %u", block->loop, block->depth);
	strbuf_addf(out, ":\n");
	for (ir_ref at = block->first; at; at = ir_at(fn, at)->next)
		print_insn(fn, at, out);
	for (u32 i = 0; i < block->succ_cnt; i++)
		strbuf_addf(out, "%s%u%s", i ? ", " : "          to ", block->succ[i],
			      i + 1 == block->succ_cnt ? "\n" : "");
}

void ir_print(struct ir_function *fn, struct strbuf *out)
{
	strbuf_addf(out, "function %u, stack %u\n", fn->subprog, fn->frame_bytes);
	for (u32 i = 0; i < fn->order_cnt; i++)
		print_block(fn, fn->order[i], out);
}
