/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verified program as values and blocks: static single assignment. Between the byte code and
 * the full tier's machine code; knows neither machine nor registers.
 *
 * A value is the number of the instruction that makes it. All values are 64 bits; what an
 * operation of 32 bits makes is zero-extended. Blocks list their instructions; phis come first.
 * An instruction that was replaced is a `copy`, which readers look through (ir_value()).
 * Constants count everywhere, whatever block they are in.
 */
#ifndef SKEP_IR_IR_H
#define SKEP_IR_IR_H

#include "ir/kernel.h"

struct prog;
struct strbuf;

typedef u32 ir_ref; /* 0: none */

enum ir_op {
#define OP(name, ...)	IR_##name,
#define PURE(name, ...) IR_##name,
#include "ir/ir.def"
	IR_OPS,
};

enum ir_traits {
	IR_RESULT = 1 << 0,
	IR_FREE = 1 << 1, /* depends on its operands only: may be merged, moved, dropped */
	IR_EFFECT = 1 << 2,
	IR_END = 1 << 3, /* ends its block */
};

enum ir_width { IR_32, IR_64 };

enum ir_cond {
	IR_EQ,
	IR_NE,
	IR_ULT,
	IR_UGE,
	IR_UGT,
	IR_ULE,
	IR_SLT,
	IR_SGE,
	IR_SGT,
	IR_SLE,
	IR_ANY,	 /* bits in common */
	IR_NONE, /* no bits in common */
	IR_CONDS,
};

enum ir_atomic { IR_ADD, IR_AND, IR_OR, IR_XOR, IR_XCHG };

struct ir_insn {
	u8 op;	  /* enum ir_op */
	u8 width; /* enum ir_width */
	u8 cond;  /* enum ir_cond; atomics: enum ir_atomic */
	u8 bytes; /* of memory */
	u8 scale; /* log2 */
	bool is_signed : 1;
	bool is_ordered : 1; /* an acquire or release: neither merged nor moved */
	u16 arg_cnt;
	ir_ref a, b, c;
	u32 args; /* first in fn->args */
	s64 imm;
	u32 block;
	ir_ref prev, next;
	u32 at; /* the instruction of the program that it comes from */
};

struct ir_block {
	ir_ref first, last;
	u32 succ[2], succ_cnt;
	u32 *pred;
	u32 pred_cnt, pred_room;
	u32 order;     /* in reverse postorder; UINT32_MAX: not reached */
	u32 dominator; /* immediate; the entry's is itself */
	u32 loop;      /* head of the innermost loop that it is in; UINT32_MAX: none */
	u32 depth;     /* of loops */
};

#define IR_NO_BLOCK UINT32_MAX

/* Arguments of IR_find: the map, then these. */
enum { FIND_KEY = 1, FIND_WORDS, FIND_ARGS = FIND_WORDS + 2 };

struct ir_function;

/* Whether the machine's instruction has room for the number that its operand is. */
typedef bool ir_has_room(const struct ir_function *fn, const struct ir_insn *insn,
			 const ir_ref *place);

struct ir_function {
	const struct prog *prog;
	u32 subprog;
	struct ir_insn *insns;
	u32 insn_cnt, insn_room;
	ir_ref *args;
	u32 arg_cnt, arg_room;
	struct ir_block *blocks; /* [0] is the entry */
	u32 block_cnt, block_room;
	u32 *order; /* blocks that are reached, in reverse postorder */
	u32 order_cnt;
	bool has_loops;
	u32 orders_due; /* rounds of ir_order() until the order is that of the edges as they are */
	struct ir_kernel *kernels;
	u32 kernel_cnt, kernel_room;
	bool has_vectors; /* of the machine: loops may become kernels */
	bool counts_bits; /* of the machine: IR_popcnt, IR_clz, IR_ctz are instructions */
	bool keeps_numbers; /* of the machine's code: it knows IR_wide */
	bool matches_bytes; /* likewise IR_find */
	ir_has_room *has_room; /* NULL: that of 32 bits with a sign */
	u32 frame_bytes;  /* of stack that the function needs, a multiple of 8 */
	u32 reads_args;	  /* bit n: r1 + n */
	bool failed;	  /* out of memory: everything done since is void */
};

extern const u8 ir_traits[IR_OPS];
extern const char *const ir_names[IR_OPS];

/* --- ir.c: making --- */
void ir_init(struct ir_function *fn, const struct prog *prog, u32 subprog);
void ir_done(struct ir_function *fn);
u32 ir_new_block(struct ir_function *fn);
/* A new instruction in no block yet; 0 when out of memory. */
ir_ref ir_new(struct ir_function *fn, const struct ir_insn *what);
void ir_append(struct ir_function *fn, u32 block, ir_ref insn);
void ir_insert_before(struct ir_function *fn, ir_ref where, ir_ref insn);
void ir_insert_first(struct ir_function *fn, u32 block, ir_ref insn);
void ir_unlink(struct ir_function *fn, ir_ref insn);
/* From now on `insn` is `value`; it leaves its block. */
void ir_replace(struct ir_function *fn, ir_ref insn, ir_ref value);
/* Place for `count` arguments, all 0. */
u32 ir_new_args(struct ir_function *fn, u32 count);
u32 ir_new_kernel(struct ir_function *fn, const struct ir_kernel *what);
/* A new block, which is returned, on the way to the block's successor of that place. */
u32 ir_split_edge(struct ir_function *fn, u32 from, u32 which);
void ir_add_edge(struct ir_function *fn, u32 from, u32 to);
/* The other half of an edge whose successor is noted. */
void ir_add_pred(struct ir_function *fn, u32 from, u32 to);
/* The place of `from` among the block's predecessors, and so of its value in phis there. */
u32 ir_pred_place(const struct ir_function *fn, u32 block, u32 from);
/* `from` goes no longer to `to`; the phis there lose their argument. */
void ir_drop_edge(struct ir_function *fn, u32 from, u32 to);

/* The edges are others: a first round finds the loops, a second one keeps their blocks together. */
static inline void ir_edges_changed(struct ir_function *fn)
{
	fn->orders_due = 2;
}

/* What the value is now. */
static inline ir_ref ir_value(const struct ir_function *fn, ir_ref value)
{
	while (fn->insns[value].op == IR_copy)
		value = fn->insns[value].a;
	return value;
}

static inline struct ir_insn *ir_at(const struct ir_function *fn, ir_ref value)
{
	return &fn->insns[value];
}

static inline bool ir_is_const(const struct ir_function *fn, ir_ref value)
{
	return fn->insns[value].op == IR_const;
}

static inline bool ir_is_free(const struct ir_insn *insn)
{
	return ir_traits[insn->op] & IR_FREE;
}

/* Calls `each` for every operand's place; the place may be changed. */
#define IR_FOR_EACH_OPERAND(fn, insn, place)                                            \
	for (ir_ref *place = ir_first_operand(fn, insn); place;                         \
	     place = ir_next_operand(fn, insn, place))

static inline ir_ref *ir_plain_operand(struct ir_insn *insn, u32 index)
{
	if (index == 0 && insn->a)
		return &insn->a;
	if (index <= 1 && insn->b)
		return &insn->b;
	return insn->c ? &insn->c : NULL;
}

static inline ir_ref *ir_argument(struct ir_function *fn, struct ir_insn *insn, u32 index)
{
	return index < insn->arg_cnt ? &fn->args[insn->args + index] : NULL;
}

static inline ir_ref *ir_first_operand(struct ir_function *fn, struct ir_insn *insn)
{
	return ir_plain_operand(insn, 0) ?: ir_argument(fn, insn, 0);
}

static inline ir_ref *ir_next_operand(struct ir_function *fn, struct ir_insn *insn, ir_ref *place)
{
	if (place == &insn->a)
		return ir_plain_operand(insn, 1) ?: ir_argument(fn, insn, 0);
	if (place == &insn->b)
		return ir_plain_operand(insn, 2) ?: ir_argument(fn, insn, 0);
	if (place == &insn->c)
		return ir_argument(fn, insn, 0);
	return ir_argument(fn, insn, (u32)(place - fn->args) - insn->args + 1);
}

u64 ir_eval(enum ir_op op, enum ir_width width, u64 a, u64 b);
bool ir_eval_cond(enum ir_cond cond, enum ir_width width, u64 a, u64 b);
static inline enum ir_cond ir_negate(enum ir_cond cond)
{
	return (enum ir_cond)(cond ^ 1);
}
enum ir_cond ir_swap(enum ir_cond cond); /* for exchanged operands */

/* --- build.c: 0, -ENOMEM, or -EOPNOTSUPP: the program has what this does not know --- */
int ir_build(struct ir_function *fn, const struct prog *prog, u32 subprog);

/* --- passes, each in its file --- */
void ir_order(struct ir_function *fn); /* order.c: order, dominators, loops; unreached blocks go */
/* Whether all paths to `block` go through `above`. */
bool ir_dominates(const struct ir_function *fn, u32 above, u32 block);
void ir_phis(struct ir_function *fn);  /* phi.c: phis of one value become that value */
void ir_merge(struct ir_function *fn); /* merge.c: blocks that follow one another are one */
void ir_fold(struct ir_function *fn);  /* fold.c */
void ir_promote(struct ir_function *fn); /* promote.c: stack slots become values */
void ir_select(struct ir_function *fn);	 /* select.c: branches become choices between values */
void ir_number(struct ir_function *fn);	 /* number.c: what is computed twice is computed once */
void ir_forward(struct ir_function *fn); /* forward.c: loads from the frame become values */
void ir_widen(struct ir_function *fn);	 /* widen.c: stores to places that touch become one */
void ir_reduce(struct ir_function *fn);	 /* reduce.c: loops that sum up do several rounds at once */
void ir_prepay(struct ir_function *fn);	 /* prepay.c: fuel of counted loops, before them */
void ir_dead(struct ir_function *fn);	 /* dead.c: what nobody uses goes, the rest moves up */
void ir_hoist(struct ir_function *fn);	 /* hoist.c: wide constants of loops, before them */
void ir_address(struct ir_function *fn); /* address.c: sums become parts of addresses */

/* optimize.c: all of them. */
void ir_optimize(struct ir_function *fn);
/*
 * All functions of a program as text, after all passes ("ir"), the last one of a name ("ir:PASS")
 * or none ("ir:build"). 0, -EINVAL: no such stage; -EOPNOTSUPP: the program has what there are no
 * values for; -ENOMEM.
 */
int ir_print_stage(const struct prog *prog, const char *stage, struct strbuf *out);
void ir_print(struct ir_function *fn, struct strbuf *out);

#endif
