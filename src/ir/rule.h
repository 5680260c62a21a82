/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of fold.def, read. */
#ifndef SKEP_IR_RULE_H
#define SKEP_IR_RULE_H

#include "ir/ir.h"

enum rule_kind {
	RULE_VALUE,    /* x, y, z: number 0 to 2 */
	RULE_CONSTANT, /* A, B, C: number 0 to 2 */
	RULE_NUMBER,   /* itself */
	RULE_OP,
	RULE_CALCULATED, /* [op a b] */
};

/* What constants of conditions and results are calculated with, beside the operations. */
enum rule_function {
	RULE_FUNCTIONS_AT = 200,
	RULE_pow2,	 /* a power of two */
	RULE_ctz,
	RULE_covers,	 /* all bits that a shift's count has */
	RULE_fits,	 /* the counts' sum is still one */
	RULE_below,
	RULE_whole,	 /* the counts' sum is the width */
	RULE_is_width,
	RULE_keeps_high, /* a mask of all bits that a shift to the left by b leaves */
	RULE_keeps_low,
};

struct rule_node {
	u8 kind;   /* enum rule_kind */
	u8 op;	   /* enum ir_op or enum rule_function */
	u8 width;  /* enum ir_width; RULE_WIDTH: that of the whole */
	u8 number;
	u8 child[2]; /* nodes of the rule; 0: none */
	s64 value;   /* RULE_NUMBER */
};

#define RULE_WIDTH     2
#define RULE_NODES_MAX 16

struct rule {
	const char *pattern_text; /* for people */
	u8 pattern, result, condition; /* nodes; condition 0: none */
	u8 node_cnt;		       /* from 1 */
	struct rule_node nodes[RULE_NODES_MAX];
};

/* Those whose pattern begins with the operation; NULL and 0: none. Made at the first call. */
const struct rule *const *rules_of(enum ir_op op, u32 *count);
/* All of them. */
const struct rule *rules_all(u32 *count);
/* The value of a calculated constant, of a number or of one of `constants`. */
u64 rule_calculate(const struct rule *rule, u8 node, enum ir_width width, const u64 constants[3]);
bool ir_commutes(enum ir_op op);

#endif
