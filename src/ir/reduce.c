/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that sum up: what they do for elements that lie one behind the other is done for several
 * at once, before the loop, which does the rest. A loop without a rest goes.
 */
#include "ir/fold.h"
#include "ir/loop.h"

#include <stdlib.h>

#define SUMS_MAX     4
#define COUNTERS_MAX 4
#define DISPLACEMENT_MAX (1 << 30)

struct sum {
	ir_ref phi, next, element;
	u8 op, width;
	ir_ref value; /* of what is done before the loop, with the value that it began with */
};

struct reduction {
	struct ir_function *fn;
	struct ir_loop loop;
	struct sum sums[SUMS_MAX];
	u32 sum_cnt;
	ir_ref counters[COUNTERS_MAX];
	u32 counter_cnt;
	/* The kernel that is being made. */
	struct ir_kernel kernel;
	ir_ref row_of[KERNEL_ROWS], args[KERNEL_ARGS];
	u32 arg_cnt, stream_cnt, registers;
};

/* --- what the loop is --- */

static bool is_sum(const struct reduction *reduction, ir_ref phi, struct sum *out)
{
	const struct ir_function *fn = reduction->fn;
	const ir_ref next = ir_value(
		fn, fn->args[ir_at(fn, phi)->args + reduction->loop.back]);
	const struct ir_insn *insn = ir_at(fn, next);
	const ir_ref a = ir_value(fn, insn->a), b = insn->b ? ir_value(fn, insn->b) : 0;

	if ((insn->op != IR_add && insn->op != IR_xor && insn->op != IR_or) ||
	    insn->block != reduction->loop.block || (a == phi) == (b == phi))
		return false;
	*out = (struct sum){
		.phi = phi, .next = next, .element = a == phi ? b : a, .op = insn->op, .width = insn->width};
	return true;
}

static bool sort_phi(struct reduction *reduction, ir_ref phi)
{
	s64 step;

	if (ir_loop_is_counter(reduction->fn, &reduction->loop, phi, &step)) {
		if (reduction->counter_cnt == COUNTERS_MAX)
			return false;
		reduction->counters[reduction->counter_cnt++] = phi;
		return true;
	}
	return reduction->sum_cnt < SUMS_MAX &&
	       is_sum(reduction, phi, &reduction->sums[reduction->sum_cnt]) &&
	       ++reduction->sum_cnt;
}

/* Nothing but phis, values and loads; the sums are used for nothing else. */
static bool find_sums(struct reduction *reduction)
{
	struct ir_function *fn = reduction->fn;
	const struct ir_block *block = &fn->blocks[reduction->loop.block];

	for (ir_ref at = block->first; at != block->last; at = ir_at(fn, at)->next) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (insn->op == IR_phi ? !sort_phi(reduction, at)
				       : insn->is_ordered ||
						 (insn->op != IR_load && !ir_is_free(insn)))
			return false;
	}
	for (ir_ref at = block->first; at; at = ir_at(fn, at)->next)
		IR_FOR_EACH_OPERAND(fn, ir_at(fn, at), place)
			for (u32 i = 0; i < reduction->sum_cnt; i++) {
				const struct sum *sum = &reduction->sums[i];
				const ir_ref value = ir_value(fn, *place);

				if ((value == sum->phi && at != sum->next) ||
				    (value == sum->next && at != sum->phi))
					return false;
			}
	return reduction->sum_cnt;
}

/* --- the expression --- */

static s32 add_row(struct reduction *reduction, ir_ref value, struct ir_kernel_row row)
{
	struct ir_kernel *kernel = &reduction->kernel;

	/* A swap's order of bytes is in one, too. */
	reduction->registers += row.op >= IR_bswap16 && row.op <= IR_bswap64 ? 2 : 1;
	if (kernel->row_cnt == KERNEL_ROWS || reduction->registers > KERNEL_REGISTERS)
		return -1;
	reduction->row_of[kernel->row_cnt] = value;
	kernel->rows[kernel->row_cnt] = row;
	return (s32)kernel->row_cnt++;
}

static s32 add_const(struct reduction *reduction, u64 value)
{
	for (u32 i = 0; i < reduction->kernel.row_cnt; i++)
		if (reduction->kernel.rows[i].op == IR_const &&
		    reduction->kernel.rows[i].imm == (s64)value)
			return (s32)i;
	return add_row(reduction, 0, (struct ir_kernel_row){.op = IR_const, .imm = (s64)value});
}

static s32 add_arg(struct reduction *reduction, ir_ref value, struct ir_kernel_row row)
{
	if (reduction->arg_cnt == KERNEL_ARGS)
		return -1;
	row.a = (u8)reduction->arg_cnt;
	reduction->args[reduction->arg_cnt++] = value;
	return add_row(reduction, value, row);
}

/* The element's bytes are extended to a lane as the load extends them. */
static s32 add_load(struct reduction *reduction, ir_ref value)
{
	struct ir_function *fn = reduction->fn;
	const struct ir_insn insn = *ir_at(fn, value);
	const bool is_wide = reduction->kernel.width == IR_64;
	s64 step;

	if (reduction->stream_cnt == KERNEL_STREAMS || insn.b || insn.bytes > (is_wide ? 8 : 4) ||
	    insn.imm >= DISPLACEMENT_MAX || insn.imm <= -DISPLACEMENT_MAX ||
	    (is_wide && insn.is_signed && insn.width == IR_32) ||
	    !ir_loop_step(fn, &reduction->loop, insn.a, &step) || step != insn.bytes)
		return -1;
	reduction->stream_cnt++;
	return add_arg(reduction, ir_loop_first(fn, &reduction->loop, insn.a),
		       (struct ir_kernel_row){.op = IR_load,
					      .bytes = insn.bytes,
					      .is_signed = insn.is_signed,
					      .imm = insn.imm});
}

/* Whether the low bits of the result depend on nothing but the low bits of the operands. */
static bool is_for_lanes(const struct ir_function *fn, const struct ir_insn *insn, u8 width)
{
	const bool is_same = insn->width == width;

	switch (insn->op) {
	case IR_add:
	case IR_sub:
	case IR_and:
	case IR_or:
	case IR_xor: return is_same || width == IR_32;
	case IR_mul:
		return width == IR_32 || (is_same && ir_bits(fn, insn->a) <= UINT32_MAX &&
					  ir_bits(fn, insn->b) <= UINT32_MAX);
	case IR_shl:
	case IR_shr: return is_same && ir_is_const(fn, ir_value(fn, insn->b));
	case IR_sar: return is_same && width == IR_32 && ir_is_const(fn, ir_value(fn, insn->b));
	case IR_bswap16:
	case IR_bswap32:
	case IR_zext8:
	case IR_zext16: return true;
	case IR_bswap64: return width == IR_64;
	case IR_zext32:
	case IR_sext32: return width == IR_32;
	default: return false;
	}
}

static s32 row_of(struct reduction *reduction, ir_ref value);

static s32 add_operation(struct reduction *reduction, ir_ref value)
{
	const struct ir_insn insn = *ir_at(reduction->fn, value);
	s32 a, b = 0;

	if (!is_for_lanes(reduction->fn, &insn, reduction->kernel.width))
		return -1;
	a = row_of(reduction, insn.a);
	if (a < 0)
		return -1;
	switch (insn.op) {
	case IR_zext32:
	case IR_sext32: return a;
	case IR_zext8: b = add_const(reduction, 0xff); break;
	case IR_zext16: b = add_const(reduction, 0xffff); break;
	default: b = insn.b ? row_of(reduction, insn.b) : 0; break;
	}
	if (b < 0)
		return -1;
	return add_row(reduction, value,
		       (struct ir_kernel_row){
			       .op = insn.op == IR_zext8 || insn.op == IR_zext16 ? IR_and : insn.op,
			       .a = (u8)a,
			       .b = (u8)b});
}

static s32 row_of(struct reduction *reduction, ir_ref value)
{
	struct ir_function *fn = reduction->fn;
	const struct ir_insn *insn;

	value = ir_value(fn, value);
	insn = ir_at(fn, value);
	if (insn->op == IR_const)
		return add_const(reduction, (u64)insn->imm);
	for (u32 i = 0; i < reduction->kernel.row_cnt; i++)
		if (reduction->row_of[i] == value)
			return (s32)i;
	if (insn->block != reduction->loop.block)
		return add_arg(reduction, value, (struct ir_kernel_row){.op = IR_arg});
	if (insn->op == IR_load)
		return add_load(reduction, value);
	return insn->op == IR_phi ? -1 : add_operation(reduction, value);
}

/* --- what becomes of it --- */

/* All of the loop's rounds, or the most that leave it at least one. */
static u32 rounds_at_once(const struct reduction *reduction, bool all)
{
	const u64 lanes = ir_kernel_lanes(&reduction->kernel);
	const u64 rounds = min(reduction->loop.rounds - !all, 1ull << 30);

	return (u32)(rounds / lanes * lanes);
}

static bool make_kernel(struct reduction *reduction, struct sum *sum, u32 rounds)
{
	struct ir_function *fn = reduction->fn;
	const ir_ref where = fn->blocks[reduction->loop.before].last;
	const ir_ref first = ir_value(fn, fn->args[ir_at(fn, sum->phi)->args + reduction->loop.entry]);
	ir_ref made;
	u32 args;

	reduction->kernel =
		(struct ir_kernel){.op = sum->op, .width = sum->width, .count = rounds};
	reduction->arg_cnt = reduction->stream_cnt = reduction->registers = 0;
	/* What is summed up must be the last row. */
	if (row_of(reduction, sum->element) + 1 != (s32)reduction->kernel.row_cnt ||
	    !reduction->stream_cnt)
		return false;
	args = ir_new_args(fn, reduction->arg_cnt);
	for (u32 i = 0; i < reduction->arg_cnt; i++)
		fn->args[args + i] = reduction->args[i];
	made = ir_new(fn, &(struct ir_insn){.op = IR_reduce,
					    .width = sum->width,
					    .args = args,
					    .arg_cnt = (u16)reduction->arg_cnt,
					    .imm = ir_new_kernel(fn, &reduction->kernel)});
	ir_insert_before(fn, where, made);
	sum->value = ir_fold_before(fn, where, (enum ir_op)sum->op, (enum ir_width)sum->width, first,
				    made);
	return !fn->failed;
}

static ir_ref counter_after(struct reduction *reduction, ir_ref counter, u64 rounds)
{
	struct ir_function *fn = reduction->fn;
	const ir_ref where = fn->blocks[reduction->loop.before].last;
	const ir_ref first = fn->args[ir_at(fn, counter)->args + reduction->loop.entry];
	s64 step = 0;

	ir_loop_is_counter(fn, &reduction->loop, counter, &step);
	return ir_fold_before(fn, where, IR_add, IR_64, ir_value(fn, first),
			      ir_const_before(fn, where, rounds * (u64)step));
}

/* The loop begins where the vectors end. */
static void shorten(struct reduction *reduction, u32 rounds)
{
	struct ir_function *fn = reduction->fn;

	for (u32 i = 0; i < reduction->sum_cnt; i++)
		fn->args[ir_at(fn, reduction->sums[i].phi)->args + reduction->loop.entry] =
			reduction->sums[i].value;
	for (u32 i = 0; i < reduction->counter_cnt; i++) {
		const ir_ref counter = reduction->counters[i],
			     value = counter_after(reduction, counter, rounds);

		fn->args[ir_at(fn, counter)->args + reduction->loop.entry] = value;
	}
}

static void remove_loop(struct reduction *reduction)
{
	struct ir_function *fn = reduction->fn;
	struct ir_insn *branch = ir_at(fn, fn->blocks[reduction->loop.block].last);
	const u64 rounds = reduction->loop.rounds;

	for (u32 i = 0; i < reduction->counter_cnt; i++) {
		const ir_ref phi = reduction->counters[i],
			     next = fn->args[ir_at(fn, phi)->args + reduction->loop.back],
			     last = counter_after(reduction, phi, rounds - 1),
			     end = counter_after(reduction, phi, rounds);

		ir_replace(fn, ir_value(fn, next), end);
		ir_replace(fn, phi, last);
	}
	for (u32 i = 0; i < reduction->sum_cnt; i++)
		ir_replace(fn, reduction->sums[i].next, reduction->sums[i].value);
	branch = ir_at(fn, fn->blocks[reduction->loop.block].last);
	branch->op = IR_jump;
	branch->a = branch->b = 0;
	ir_drop_edge(fn, reduction->loop.block, reduction->loop.block);
}

/* Whether others need nothing of the loop but its sums and counters. */
static bool is_all_sums(const struct reduction *reduction, const u8 *is_used_outside)
{
	const struct ir_function *fn = reduction->fn;

	for (ir_ref at = fn->blocks[reduction->loop.block].first; at; at = ir_at(fn, at)->next) {
		bool is_known = !is_used_outside[at] || ir_is_const(fn, at);

		for (u32 i = 0; i < reduction->sum_cnt; i++)
			is_known |= at == reduction->sums[i].next;
		for (u32 i = 0; i < reduction->counter_cnt; i++)
			is_known |= at == reduction->counters[i] ||
				    at == ir_value(fn, fn->args[ir_at(fn, reduction->counters[i])->args +
								reduction->loop.back]);
		if (!is_known)
			return false;
	}
	return true;
}

static bool reduce(struct ir_function *fn, u32 block, const u8 *is_used_outside)
{
	struct reduction reduction = {.fn = fn};
	bool all;
	u32 rounds;

	if (!ir_loop_find(fn, block, &reduction.loop) || !find_sums(&reduction))
		return false;
	/* Of different widths the lanes would be different, too. */
	for (u32 i = 1; i < reduction.sum_cnt; i++)
		if (reduction.sums[i].width != reduction.sums[0].width)
			return false;
	reduction.kernel.width = reduction.sums[0].width;
	all = is_all_sums(&reduction, is_used_outside);
	rounds = rounds_at_once(&reduction, all);
	if (!rounds)
		return false;
	for (u32 i = 0; i < reduction.sum_cnt; i++)
		if (!make_kernel(&reduction, &reduction.sums[i], rounds))
			return false;
	if (rounds == reduction.loop.rounds)
		remove_loop(&reduction);
	else
		shorten(&reduction, rounds);
	return true;
}

/* --- all loops --- */

static void find_uses(struct ir_function *fn, u8 *is_used_outside)
{
	for (u32 i = 0; i < fn->order_cnt; i++) {
		const u32 block = fn->order[i];

		for (ir_ref at = fn->blocks[block].first; at; at = ir_at(fn, at)->next)
			IR_FOR_EACH_OPERAND(fn, ir_at(fn, at), place) {
				*place = ir_value(fn, *place);
				is_used_outside[*place] |= ir_at(fn, *place)->block != block;
			}
	}
}

void ir_reduce(struct ir_function *fn)
{
	const u32 blocks = fn->block_cnt;
	u8 *is_used_outside;
	bool changed = false;

	if (!fn->has_vectors)
		return;
	is_used_outside = calloc(fn->insn_cnt, 1);
	if (!is_used_outside) {
		fn->failed = true;
		return;
	}
	find_uses(fn, is_used_outside);
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++)
		changed |= reduce(fn, fn->order[i], is_used_outside);
	free(is_used_outside);
	if ((changed || fn->block_cnt > blocks) && !fn->failed)
		ir_order(fn);
}
