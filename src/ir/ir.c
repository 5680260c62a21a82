/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/ir.h"
#include "base/os.h"

#include <stdlib.h>
#include <string.h>

const u8 ir_traits[IR_OPS] = {
#define OP(name, traits) [IR_##name] = (traits),
#define PURE(name, ...)	 [IR_##name] = IR_RESULT | IR_FREE,
#include "ir/ir.def"
};

const char *const ir_names[IR_OPS] = {
#define OP(name, ...)	[IR_##name] = #name,
#define PURE(name, ...) [IR_##name] = #name,
#include "ir/ir.def"
};

/* --- memory --- */

/* Room for `count` more, and at least for so many more; false: out of memory. */
static bool reserve(struct ir_function *fn, void **list, u32 used, u32 *room, size_t size,
		    u32 count, u32 least)
{
	void *grown;
	u32 wanted;

	if (*room - used >= count)
		return true;
	wanted = max(2 * *room, used + count + least);
	grown = realloc(*list, wanted * size);
	if (!grown) {
		fn->failed = true;
		return false;
	}
	os_prefer_huge(grown, wanted * size);
	memset((u8 *)grown + *room * size, 0, (wanted - *room) * size);
	*list = grown;
	*room = wanted;
	return true;
}

#define RESERVE(fn, list, cnt, room, count) \
	reserve(fn, (void **)&(fn)->list, (fn)->cnt, &(fn)->room, sizeof(*(fn)->list), count, 64)

void ir_init(struct ir_function *fn, const struct prog *prog, u32 subprog)
{
	*fn = (struct ir_function){.prog = prog, .subprog = subprog};
	/* Numbers 0 mean none. */
	if (RESERVE(fn, insns, insn_cnt, insn_room, 1))
		fn->insn_cnt = 1;
	if (RESERVE(fn, args, arg_cnt, arg_room, 1))
		fn->arg_cnt = 1;
}

void ir_done(struct ir_function *fn)
{
	for (u32 i = 0; i < fn->block_cnt; i++)
		free(fn->blocks[i].pred);
	free(fn->blocks);
	free(fn->insns);
	free(fn->args);
	free(fn->kernels);
	free(fn->order);
	*fn = (struct ir_function){0};
}

u32 ir_new_block(struct ir_function *fn)
{
	if (!RESERVE(fn, blocks, block_cnt, block_room, 1))
		return 0;
	fn->blocks[fn->block_cnt].loop = IR_NO_BLOCK;
	return fn->block_cnt++;
}

ir_ref ir_new(struct ir_function *fn, const struct ir_insn *what)
{
	if (!RESERVE(fn, insns, insn_cnt, insn_room, 1))
		return 0;
	fn->insns[fn->insn_cnt] = *what;
	return fn->insn_cnt++;
}

u32 ir_new_args(struct ir_function *fn, u32 count)
{
	u32 first = fn->arg_cnt;

	if (!RESERVE(fn, args, arg_cnt, arg_room, count))
		return 0;
	memset(fn->args + first, 0, count * sizeof(*fn->args));
	fn->arg_cnt += count;
	return first;
}

u32 ir_new_kernel(struct ir_function *fn, const struct ir_kernel *what)
{
	if (!RESERVE(fn, kernels, kernel_cnt, kernel_room, 1))
		return 0;
	fn->kernels[fn->kernel_cnt] = *what;
	return fn->kernel_cnt++;
}

/* --- lists --- */

void ir_append(struct ir_function *fn, u32 block, ir_ref insn)
{
	struct ir_block *in = &fn->blocks[block];

	if (!insn)
		return;
	fn->insns[insn].block = block;
	fn->insns[insn].prev = in->last;
	fn->insns[insn].next = 0;
	if (in->last)
		fn->insns[in->last].next = insn;
	else
		in->first = insn;
	in->last = insn;
}

void ir_insert_before(struct ir_function *fn, ir_ref where, ir_ref insn)
{
	struct ir_insn *next = &fn->insns[where];

	if (!insn)
		return;
	/* What comes from nowhere else comes from there. */
	if (!fn->insns[insn].at)
		fn->insns[insn].at = next->at;
	fn->insns[insn].block = next->block;
	fn->insns[insn].next = where;
	fn->insns[insn].prev = next->prev;
	if (next->prev)
		fn->insns[next->prev].next = insn;
	else
		fn->blocks[next->block].first = insn;
	next->prev = insn;
}

void ir_insert_first(struct ir_function *fn, u32 block, ir_ref insn)
{
	if (fn->blocks[block].first)
		ir_insert_before(fn, fn->blocks[block].first, insn);
	else
		ir_append(fn, block, insn);
}

void ir_unlink(struct ir_function *fn, ir_ref insn)
{
	struct ir_insn *out = &fn->insns[insn];
	struct ir_block *block = &fn->blocks[out->block];

	if (out->prev)
		fn->insns[out->prev].next = out->next;
	else
		block->first = out->next;
	if (out->next)
		fn->insns[out->next].prev = out->prev;
	else
		block->last = out->prev;
}

void ir_replace(struct ir_function *fn, ir_ref insn, ir_ref value)
{
	ir_unlink(fn, insn);
	fn->insns[insn].op = IR_copy;
	fn->insns[insn].a = value;
	fn->insns[insn].arg_cnt = 0;
}

/* --- edges --- */

void ir_add_pred(struct ir_function *fn, u32 from, u32 to)
{
	struct ir_block *block = &fn->blocks[to];

	ir_edges_changed(fn);
	if (!fn->failed && reserve(fn, (void **)&block->pred, block->pred_cnt,
				   &block->pred_room, sizeof(*block->pred), 1, 1))
		block->pred[block->pred_cnt++] = from;
}

void ir_add_edge(struct ir_function *fn, u32 from, u32 to)
{
	struct ir_block *block = &fn->blocks[from];

	block->succ[block->succ_cnt++] = to;
	ir_add_pred(fn, from, to);
}

/* Of a list of `count` in which every place counts. */
static void drop_place(u32 *list, u32 count, u32 place)
{
	memmove(list + place, list + place + 1, (count - place - 1) * sizeof(*list));
}

u32 ir_pred_place(const struct ir_function *fn, u32 block, u32 from)
{
	u32 place = 0;

	while (fn->blocks[block].pred[place] != from)
		place++;
	return place;
}

void ir_drop_edge(struct ir_function *fn, u32 from, u32 to)
{
	struct ir_block *source = &fn->blocks[from], *target = &fn->blocks[to];
	const u32 place = ir_pred_place(fn, to, from);

	ir_edges_changed(fn);
	for (ir_ref at = target->first; at && fn->insns[at].op == IR_phi;
	     at = fn->insns[at].next) {
		struct ir_insn *phi = &fn->insns[at];

		drop_place(fn->args + phi->args, phi->arg_cnt--, place);
	}
	drop_place(target->pred, target->pred_cnt--, place);
	if (source->succ[0] == to)
		source->succ[0] = source->succ[1];
	source->succ_cnt--;
}

u32 ir_split_edge(struct ir_function *fn, u32 from, u32 which)
{
	const u32 to = fn->blocks[from].succ[which], block = ir_new_block(fn);
	const struct ir_block *loop; /* it is in the outer one of both */

	if (fn->failed)
		return 0;
	fn->blocks[to].pred[ir_pred_place(fn, to, from)] = block;
	fn->blocks[from].succ[which] = block;
	loop = &fn->blocks[fn->blocks[from].depth < fn->blocks[to].depth ? from : to];
	fn->blocks[block].depth = loop->depth;
	fn->blocks[block].loop = loop->loop;
	/* Its one successor is there; its predecessor is to be. */
	fn->blocks[block].succ[0] = to;
	fn->blocks[block].succ_cnt = 1;
	ir_append(fn, block,
		  ir_new(fn, &(struct ir_insn){.op = IR_jump,
					       .at = ir_at(fn, fn->blocks[from].last)->at}));
	ir_add_pred(fn, from, block);
	return block;
}

/* --- values of constants --- */

#define SIGNED(a)     _Generic((a), u32: (s32)(a), u64: (s64)(a))
#define SHIFT_MASK(a) (sizeof(a) * 8 - 1)

static u64 eval64(u32 op, u64 a, u64 b)
{
	switch (op) {
#define PURE(name, value) \
	case IR_##name: return (u64)(value);
#include "ir/ir.def"
	default: return 0;
	}
}

static u64 eval32(u32 op, u32 a, u32 b)
{
	switch (op) {
#define PURE(name, value) \
	case IR_##name: return (u32)(value);
#include "ir/ir.def"
	default: return 0;
	}
}

u64 ir_eval(enum ir_op op, enum ir_width width, u64 a, u64 b)
{
	return width == IR_64 ? eval64(op, a, b) : eval32(op, (u32)a, (u32)b);
}

bool ir_eval_cond(enum ir_cond cond, enum ir_width width, u64 a, u64 b)
{
	const s64 left = width == IR_64 ? (s64)a : (s32)a,
		  right = width == IR_64 ? (s64)b : (s32)b;

	if (width == IR_32) {
		a = (u32)a;
		b = (u32)b;
	}
	switch (cond) {
	case IR_EQ: return a == b;
	case IR_NE: return a != b;
	case IR_ULT: return a < b;
	case IR_UGE: return a >= b;
	case IR_UGT: return a > b;
	case IR_ULE: return a <= b;
	case IR_SLT: return left < right;
	case IR_SGE: return left >= right;
	case IR_SGT: return left > right;
	case IR_SLE: return left <= right;
	case IR_ANY: return (a & b) != 0;
	case IR_NONE: return (a & b) == 0;
	case IR_CONDS: break;
	}
	return false;
}

enum ir_cond ir_swap(enum ir_cond cond)
{
	switch ((u32)cond) {
	case IR_ULT: return IR_UGT;
	case IR_UGT: return IR_ULT;
	case IR_UGE: return IR_ULE;
	case IR_ULE: return IR_UGE;
	case IR_SLT: return IR_SGT;
	case IR_SGT: return IR_SLT;
	case IR_SGE: return IR_SLE;
	case IR_SLE: return IR_SGE;
	default: return cond;
	}
}
