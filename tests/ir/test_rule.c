/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of fold.def, calculated on both sides: with all values of a few bits in every position,
 * and with random ones. (proofs/ has them for all values.)
 */
#include "ir/rule.h"
#include "tests/unit.h"

#include <stdio.h>

struct assignment {
	u64 values[3], constants[3];
};

static u64 low(u64 value, enum ir_width width)
{
	return width == IR_64 ? value : (u32)value;
}

static u64 calculate(const struct rule *rule, u8 index, enum ir_width whole,
		     const struct assignment *with)
{
	const struct rule_node *node = &rule->nodes[index];
	const enum ir_width width = node->width == RULE_WIDTH ? whole : (enum ir_width)node->width;

	if (node->kind == RULE_VALUE)
		return with->values[node->number];
	if (node->kind != RULE_OP)
		return rule_calculate(rule, index, whole, with->constants);
	return ir_eval((enum ir_op)node->op, width,
		       calculate(rule, node->child[0], whole, with),
		       node->child[1] ? calculate(rule, node->child[1], whole, with) : 0);
}

/* Whether the row holds for the assignment at all. */
static bool check(const struct rule *rule, enum ir_width width, const struct assignment *with)
{
	u64 pattern, result;

	if (rule->condition && !rule_calculate(rule, rule->condition, width, with->constants))
		return false;
	pattern = calculate(rule, rule->pattern, width, with);
	result = low(calculate(rule, rule->result, width, with), width);
	if (pattern != result)
		fail_msg("%s, %u bits: %#llx becomes %#llx (x %#llx y %#llx z %#llx A %#llx B "
			 "%#llx)",
			 rule->pattern_text, width == IR_64 ? 64 : 32, pattern, result,
			 with->values[0], with->values[1], with->values[2], with->constants[0],
			 with->constants[1]);
	return true;
}

static u64 next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* Numbers at the edges of what operations tell apart come often. */
static u64 draw(u64 *state)
{
	const u64 number = next(state), kind = next(state) % 6;

	switch (kind) {
	case 0: return number % 65;
	case 1: return 1ull << number % 64;
	case 2: return (1ull << number % 64) - 1;
	case 3: return ~0ull << number % 64;
	case 4: return (u32)number;
	default: return number;
	}
}

#define TRIES 20000

/* How often the row held. */
static u32 check_rule(const struct rule *rule, enum ir_width width)
{
	u64 state = 0x9e3779b97f4a7c15ULL;
	u32 held = 0;

	for (u32 i = 0; i < TRIES; i++) {
		struct assignment with;

		for (u32 k = 0; k < 3; k++) {
			with.values[k] = draw(&state);
			with.constants[k] = low(draw(&state), width);
		}
		/* Two counts that belong together are seldom drawn. */
		if (i % 4 == 0)
			with.constants[1] =
				low((width == IR_64 ? 64 : 32) - with.constants[0], width);
		held += check(rule, width, &with);
	}
	return held;
}

/* Rows that speak of a width are for that alone. */
static bool is_for(const struct rule *rule, enum ir_width width)
{
	const u8 own = rule->nodes[rule->pattern].width;

	return own == RULE_WIDTH || own == width;
}

static void test_rows_hold(void **state)
{
	u32 count;
	const struct rule *rules = rules_all(&count);

	assert_true(count > 50);
	for (u32 i = 0; i < count; i++) {
		u32 held = 0;

		for (u32 width = IR_32; width <= IR_64; width++)
			if (is_for(&rules[i], (enum ir_width)width))
				held += check_rule(&rules[i], (enum ir_width)width);
		if (!held)
			fail_msg("%s: never holds", rules[i].pattern_text);
	}
}

static void test_rows_are_found(void **state)
{
	u32 count, found = 0, all;

	rules_all(&all);
	for (u32 op = 0; op < IR_OPS; op++) {
		const struct rule *const *list = rules_of((enum ir_op)op, &count);

		for (u32 i = 0; i < count; i++)
			assert_int_equal(list[i]->nodes[list[i]->pattern].op, op);
		found += count;
	}
	assert_int_equal(found, all);
}

static void test_every_operation_has_a_name(void **state)
{
	for (u32 op = 0; op < IR_OPS; op++)
		assert_true(ir_names[op] && *ir_names[op]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_hold),
		cmocka_unit_test(test_rows_are_found),
		cmocka_unit_test(test_every_operation_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
