/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/rule.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *pattern, *result, *condition;
} rows[] = {
#define FOLD(pattern, result, condition) {pattern, result, condition},
#include "ir/fold.def"
};

static const struct {
	const char *name;
	u8 function;
} functions[] = {
	{"pow2", RULE_pow2},	   {"ctz", RULE_ctz},	    {"covers", RULE_covers},
	{"fits", RULE_fits},	   {"below", RULE_below},   {"whole", RULE_whole},
	{"is_width", RULE_is_width}, {"keeps_high", RULE_keeps_high},
	{"keeps_low", RULE_keeps_low},
};

static struct rule rules[ARRAY_SIZE(rows)];
static const struct rule *by_op[ARRAY_SIZE(rows)];
static struct {
	u32 first, count;
} index_of[IR_OPS];

/* --- reading: the rows are the program's own, and well-formed --- */

static void skip(const char **text)
{
	while (**text == ' ')
		(*text)++;
}

static size_t word(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static u8 find_op(const char *name, size_t length)
{
	for (u32 op = 1; op < IR_OPS; op++)
		if (strlen(ir_names[op]) == length && !strncmp(ir_names[op], name, length))
			return (u8)op;
	for (u32 i = 0; i < ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == length &&
		    !strncmp(functions[i].name, name, length))
			return functions[i].function;
	return 0;
}

/* `add32` is add with a width, `zext32` a name. */
static void read_op(struct rule_node *node, const char *name, size_t length)
{
	node->width = RULE_WIDTH;
	node->op = find_op(name, length);
	if (node->op || length < 3)
		return;
	node->width = name[length - 2] == '6' ? IR_64 : IR_32;
	node->op = find_op(name, length - 2);
}

static u8 read_node(struct rule *rule, const char **text)
{
	const u8 index = ++rule->node_cnt;
	struct rule_node *node = &rule->nodes[index];
	char first;
	u32 children = 0;

	skip(text);
	first = *(*text);
	if (first == '(' || first == '[') {
		size_t length = word(++*text);

		node->kind = first == '(' ? RULE_OP : RULE_CALCULATED;
		read_op(node, *text, length);
		*text += length;
		for (skip(text); **text != ')' && **text != ']'; skip(text))
			node->child[children++] = read_node(rule, text);
		(*text)++;
	} else if (first >= 'x' && first <= 'z') {
		*node = (struct rule_node){.kind = RULE_VALUE, .number = (u8)(first - 'x')};
		(*text)++;
	} else if (first >= 'A' && first <= 'C') {
		*node = (struct rule_node){.kind = RULE_CONSTANT, .number = (u8)(first - 'A')};
		(*text)++;
	} else {
		*node = (struct rule_node){.kind = RULE_NUMBER,
					   .value = strtoll(*text, (char **)text, 0)};
	}
	return index;
}

static void read_rule(u32 row)
{
	struct rule *rule = &rules[row];
	const char *text = rows[row].pattern;

	rule->pattern_text = text;
	rule->pattern = read_node(rule, &text);
	text = rows[row].result;
	rule->result = read_node(rule, &text);
	text = rows[row].condition;
	if (*text)
		rule->condition = read_node(rule, &text);
}

static void read_all(void)
{
	u32 used = 0;

	for (u32 row = 0; row < ARRAY_SIZE(rows); row++)
		read_rule(row);
	for (u32 op = 0; op < IR_OPS; op++) {
		index_of[op].first = used;
		for (u32 row = 0; row < ARRAY_SIZE(rows); row++)
			if (rules[row].nodes[rules[row].pattern].op == op)
				by_op[used++] = &rules[row];
		index_of[op].count = used - index_of[op].first;
	}
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

const struct rule *const *rules_of(enum ir_op op, u32 *count)
{
	pthread_once(&once, read_all);
	*count = index_of[op].count;
	return by_op + index_of[op].first;
}

const struct rule *rules_all(u32 *count)
{
	pthread_once(&once, read_all);
	*count = ARRAY_SIZE(rules);
	return rules;
}

/* --- constants --- */

static u64 low(u64 value, enum ir_width width)
{
	return width == IR_64 ? value : (u32)value;
}

static u64 function(u8 which, enum ir_width width, u64 a, u64 b)
{
	const u64 bits = width == IR_64 ? 64 : 32, ones = low(~0ull, width);

	a = low(a, width);
	b = low(b, width);
	switch (which) {
	case RULE_pow2: return is_power_of_two(a);
	case RULE_ctz: return a ? (u64)__builtin_ctzll(a) : bits;
	case RULE_covers: return (a & (bits - 1)) == bits - 1;
	case RULE_fits: return a < bits && b < bits && a + b < bits;
	case RULE_below: return a < b;
	case RULE_whole: return a < bits && b < bits && a + b == bits;
	case RULE_is_width: return a == bits;
	case RULE_keeps_high: return b < bits && (a | low(~(ones << b), width)) == ones;
	case RULE_keeps_low: return b < bits && (a | ~(ones >> b)) == ~0ull;
	default: return 0;
	}
}

u64 rule_calculate(const struct rule *rule, u8 index, enum ir_width width, const u64 constants[3])
{
	const struct rule_node *node = &rule->nodes[index];
	u64 a, b;

	switch ((enum rule_kind)node->kind) {
	case RULE_NUMBER: return low((u64)node->value, width);
	case RULE_CONSTANT: return low(constants[node->number], width);
	case RULE_CALCULATED: break;
	case RULE_VALUE:
	case RULE_OP: return 0;
	}
	a = rule_calculate(rule, node->child[0], width, constants);
	b = node->child[1] ? rule_calculate(rule, node->child[1], width, constants) : 0;
	if (node->op > RULE_FUNCTIONS_AT)
		return function(node->op, width, a, b);
	return ir_eval((enum ir_op)node->op, width, a, b);
}

bool ir_commutes(enum ir_op op)
{
	switch ((u32)op) {
	case IR_add:
	case IR_mul:
	case IR_mulhi:
	case IR_and:
	case IR_or:
	case IR_xor: return true;
	default: return false;
	}
}
