/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain of numbers at its real widths. Exact results stand in tables; soundness is tried
 * on random operands: what an operation does with a value of each must be in the result.
 */
#include "tests/unit.h"
#include "verify/view.h"

#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200000

static u64 random_state;

static u64 random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Values near the places where something changes, and any others. */
static u64 random_value(void)
{
	static const u64 corners[] = {
		0,	    1,		2,	   7,	       8,
		31,	    32,		63,	   64,	       255,
		0x7f,	    0x8000,	0xffff,	   INT32_MAX,  1ull << 31,
		UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX,
	};
	u64 value = random_next();

	switch (random_next() % 4) {
	case 0: return value >> (random_next() % 64);
	case 1: return (u64)((s64)value >> (random_next() % 64));
	case 2: return corners[value % ARRAY_SIZE(corners)] + (value >> 32) % 5 - 2;
	default: return value % 100;
	}
}

/* A value and a scalar that has it: two to three values joined, some facts forgotten. */
static struct scalar random_scalar(u64 *value)
{
	struct scalar scalar, more;

	*value = random_value();
	scalar = scalar_const(*value);
	for (u64 i = random_next() % 3; i; i--) {
		more = scalar_const(random_next() % 2 ? random_value()
						      : *value + random_next() % 64);
		scalar = scalar_join(&scalar, &more);
	}
	switch (random_next() % 6) {
	case 0: scalar.bits = (struct tnum){0, UINT64_MAX}; break;
	case 1: scalar.umax = UINT64_MAX; break;
	case 2: scalar.smin = INT64_MIN; break;
	case 3: scalar.umin32 = 0; break;
	default: break;
	}
	assert_true(scalar_sync(&scalar));
	return scalar;
}

static void print_scalar(const char *name, const struct scalar *scalar)
{
	print_message("%s: bits %#llx/%#llx u %llu..%llu s %lld..%lld u32 %u..%u s32 %d..%d\n",
		      name, scalar->bits.value, scalar->bits.mask, scalar->umin, scalar->umax,
		      scalar->smin, scalar->smax, scalar->umin32, scalar->umax32,
		      scalar->smin32, scalar->smax32);
}

static void assert_has(const struct scalar *result, u64 value, const char *what, u32 op,
		       const struct scalar *a, const struct scalar *b)
{
	if (scalar_has(result, value))
		return;
	print_scalar("a", a);
	print_scalar("b", b);
	print_scalar("result", result);
	fail_msg("%s %#x lost %#llx", what, op, value);
}

static u64 divide(u64 a, u64 b, u8 op, bool is_signed)
{
	if (!b)
		return op == BPF_DIV ? 0 : a;
	if (!is_signed)
		return op == BPF_DIV ? a / b : a % b;
	if (b == UINT64_MAX)
		return op == BPF_DIV ? -a : 0;
	return op == BPF_DIV ? (u64)((s64)a / (s64)b) : (u64)((s64)a % (s64)b);
}

static u64 alu64(u64 a, u64 b, u8 op, s16 off)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_AND: return a & b;
	case BPF_OR: return a | b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return a << (b & 63);
	case BPF_RSH: return a >> (b & 63);
	case BPF_ARSH: return (u64)((s64)a >> (b & 63));
	case BPF_NEG: return -a;
	case BPF_MOV: return off ? (u64)((s64)(b << (64 - off)) >> (64 - off)) : b;
	default: return divide(a, b, op, off);
	}
}

static u32 alu32(u32 a, u32 b, u8 op, s16 off)
{
	switch (op) {
	case BPF_LSH: return a << (b & 31);
	case BPF_RSH: return a >> (b & 31);
	case BPF_ARSH: return (u32)((s32)a >> (b & 31));
	case BPF_DIV:
	case BPF_MOD:
		if (off)
			return (u32)divide((u64)(s64)(s32)a, (u64)(s64)(s32)b, op, true);
		return (u32)divide(a, b, op, false);
	default: return (u32)alu64(a, b, op, off);
	}
}

static void operations_keep_every_result(void **state)
{
	static const u8 ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND, BPF_LSH,
				 BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH};

	random_state = 1;
	for (u32 i = 0; i < ROUNDS; i++) {
		u8 op = ops[i % ARRAY_SIZE(ops)];
		bool is32 = random_next() % 2;
		u64 x, y, want;
		struct scalar a = random_scalar(&x), b = random_scalar(&y), result = a;
		s16 off = 0;

		if (op == BPF_MOV)
			off = (s16)((8 << random_next() % 4) & (is32 ? 31 : 63));
		else if (op == BPF_DIV || op == BPF_MOD)
			off = random_next() % 2;
		scalar_alu(&result, &b, op, is32, off);
		want = is32 ? alu32((u32)x, (u32)y, op, off) : alu64(x, y, op, off);
		assert_has(&result, want, is32 ? "alu32" : "alu64", op, &a, &b);
	}
}

/* Numbers of the forms that are quick: by their bits, open upwards, small, constant. */
static struct scalar random_quick(void)
{
	struct scalar scalar = scalar_unknown();
	u32 shift = (u32)random_next() % 64;

	switch (random_next() % 7) {
	case 0: return scalar_const(random_next() >> shift);
	case 1: return scalar_urange(0, 0x7fffffff >> shift % 31);
	case 2: scalar.umax = (random_next() & 0x7fffffff) >> shift % 31; break;
	case 3: scalar.bits = (struct tnum){0, ~0ull << shift}; break;
	case 5:
		scalar.bits.mask = random_next() & 0xffff;
		scalar.bits.value = random_next() & 0xffff & ~scalar.bits.mask;
		break;
	case 4: scalar.bits = (struct tnum){(1ull << shift) >> 1, ~0ull << shift}; break;
	default:
		scalar.bits.mask = random_next() >> shift;
		scalar.bits.value = random_next() & ~scalar.bits.mask;
		break;
	}
	assert_true(scalar_sync(&scalar));
	return scalar;
}

static void quick_results_are_those_of_the_general_way(void **state)
{
	static const u8 ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR,  BPF_AND,
				 BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH};
	u32 quick[ARRAY_SIZE(ops)] = {0};

	random_state = 7;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 index = i % ARRAY_SIZE(ops);
		bool is32 = random_next() % 2;
		struct scalar a = random_quick(), b = random_quick(), general = a, result = a;

		if (index >= 6 && random_next() % 2)
			b = scalar_const(random_next() % 64);
		scalar_alu_general(&general, &b, ops[index], is32, false, SCALAR_SHAPE);
		if (!scalar_alu_quick(&result, &b, ops[index], is32, SCALAR_SHAPE)) {
			assert_memory_equal(&result, &a, sizeof(a));
			continue;
		}
		quick[index]++;
		if (memcmp(&result, &general, sizeof(result)))
			fail_msg(
				"op %#x%s: quick (%llx; %llx) [%llx, %llx], general (%llx; %llx) "
				"[%llx, %llx]",
				ops[index], is32 ? " of 32 bits" : "", result.bits.value,
				result.bits.mask, result.umin, result.umax, general.bits.value,
				general.bits.mask, general.umin, general.umax);
	}
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++)
		assert_true(quick[i] > ROUNDS / ARRAY_SIZE(ops) / 10);
}

static u64 swap(u64 value, u32 bits)
{
	return __builtin_bswap64(value) >> (64 - bits);
}

static void widths_keep_every_value(void **state)
{
	random_state = 2;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 bytes = 1u << i % 4, bits = 8 * bytes;
		u64 x, ones = ~0ull >> (64 - bits);
		struct scalar a = random_scalar(&x), cut = a, extended = a, swapped = a;

		scalar_truncate(&cut, bytes);
		assert_has(&cut, x & ones, "truncate", bytes, &a, &a);
		scalar_sign_extend(&extended, bytes);
		assert_has(&extended, (u64)((s64)(x << (64 - bits)) >> (64 - bits)),
			   "sign-extend", bytes, &a, &a);
		if (bytes == 1)
			continue;
		scalar_byte_swap(&swapped, bits, true);
		assert_has(&swapped, swap(x & ones, bits), "swap", bytes, &a, &a);
	}
}

static bool compare(u64 a, u64 b, s64 sa, s64 sb, u8 op)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JNE: return a != b;
	case BPF_JSET: return a & b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	case BPF_JLT: return a < b;
	case BPF_JLE: return a <= b;
	case BPF_JSGT: return sa > sb;
	case BPF_JSGE: return sa >= sb;
	case BPF_JSLT: return sa < sb;
	default: return sa <= sb;
	}
}

static void comparisons_keep_every_operand(void **state)
{
	static const u8 ops[] = {BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	BPF_JGE, BPF_JLT,
				 BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE};

	random_state = 3;
	for (u32 i = 0; i < ROUNDS; i++) {
		u8 op = ops[i % ARRAY_SIZE(ops)];
		bool is32 = random_next() % 2, taken;
		u64 x, y;
		struct scalar a = random_scalar(&x), b = random_scalar(&y), old_a = a,
			      old_b = b;
		int outcome = scalar_branch(&a, &b, op, is32);

		taken = is32 ? compare((u32)x, (u32)y, (s32)x, (s32)y, op)
			     : compare(x, y, (s64)x, (s64)y, op);
		assert_int_not_equal(outcome, !taken);
		assert_true(scalar_refine(&a, &b, op, is32, taken));
		assert_has(&a, x, "left operand after", op, &old_a, &old_b);
		assert_has(&b, y, "right operand after", op, &old_a, &old_b);
		assert_true(scalar_contains(&old_a, &a));
		assert_true(scalar_contains(&old_b, &b));
	}
}

static void joins_and_meets_keep_what_they_must(void **state)
{
	random_state = 4;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 x, y;
		struct scalar a = random_scalar(&x), b = random_scalar(&y), met = a;
		struct scalar joined = scalar_join(&a, &b);

		assert_true(scalar_contains(&joined, &a) && scalar_contains(&joined, &b));
		assert_true(scalar_has(&joined, x) && scalar_has(&joined, y));
		if (scalar_has(&b, x)) {
			assert_true(scalar_meet(&met, &b));
			assert_has(&met, x, "meet", 0, &a, &b);
		}
	}
}

/* --- exact results --- */

struct step {
	u8 op;
	bool is32;
	s16 off;
	u64 low, high; /* the other operand */
};

struct exact_row {
	const char *name;
	u64 low, high; /* the first operand, unsigned */
	struct step step;
	u64 umin, umax;
	s64 smin, smax;
};

static const struct exact_row exact_rows[] = {
	{"add", 1, 5, {BPF_ADD, .low = 10, .high = 20}, 11, 25, 11, 25},
	{"sub below zero", 0, 5, {BPF_SUB, .low = 3, .high = 3}, 0, UINT64_MAX, -3, 2},
	{"add wraps in both ends",
	 UINT64_MAX - 5,
	 UINT64_MAX,
	 {BPF_ADD, .low = 10, .high = 10},
	 4,
	 9,
	 4,
	 9},
	{"add 32 cuts",
	 UINT32_MAX,
	 UINT32_MAX,
	 {BPF_ADD, true, .low = 1, .high = 1},
	 0,
	 0,
	 0,
	 0},
	{"mul", 2, 3, {BPF_MUL, .low = 5, .high = 7}, 10, 21, 10, 21},
	{"mul by numbers of 64 bits",
	 1,
	 1,
	 {BPF_MUL, .low = 5, .high = 1ull << 63},
	 5,
	 1ull << 63,
	 INT64_MIN,
	 INT64_MAX},
	{"div by a constant", 100, 1000, {BPF_DIV, .low = 10, .high = 10}, 10, 100, 10, 100},
	{"div by a range", 100, 1000, {BPF_DIV, .low = 2, .high = 10}, 10, 500, 10, 500},
	{"div by zero", 100, 1000, {BPF_DIV, .low = 0, .high = 0}, 0, 0, 0, 0},
	{"mod by a constant", 0, 1000, {BPF_MOD, .low = 10, .high = 10}, 0, 9, 0, 9},
	{"mod by zero", 3, 7, {BPF_MOD, .low = 0, .high = 0}, 3, 7, 3, 7},
	{"mod within one period", 103, 107, {BPF_MOD, .low = 10, .high = 10}, 3, 7, 3, 7},
	{"sdiv",
	 100,
	 1000,
	 {BPF_DIV, .off = 1, .low = -10ull, .high = -10ull},
	 -100ull,
	 -10ull,
	 -100,
	 -10},
	{"smod", -7ull, -1ull, {BPF_MOD, .off = 1, .low = 4, .high = 4}, 0, UINT64_MAX, -3, 0},
	{"and", 0, 1000, {BPF_AND, .low = 7, .high = 7}, 0, 7, 0, 7},
	{"or", 0, 8, {BPF_OR, .low = 16, .high = 16}, 16, 31, 16, 31},
	{"xor", 0, 7, {BPF_XOR, .low = 8, .high = 8}, 8, 15, 8, 15},
	{"shl", 1, 3, {BPF_LSH, .low = 2, .high = 4}, 4, 48, 4, 48},
	{"shl out of range",
	 1,
	 3,
	 {BPF_LSH, .low = 64, .high = 64},
	 0,
	 UINT64_MAX,
	 INT64_MIN,
	 INT64_MAX},
	{"shr", 16, 64, {BPF_RSH, .low = 1, .high = 3}, 2, 32, 2, 32},
	{"arsh 32 of a negative",
	 0xfffffff0,
	 0xfffffff8,
	 {BPF_ARSH, true, .low = 2, .high = 2},
	 0xfffffffc,
	 0xfffffffe,
	 0xfffffffc,
	 0xfffffffe},
	{"neg", 1, 5, {BPF_NEG}, -5ull, -1ull, -5, -1},
	{"movsx 8",
	 0,
	 0,
	 {BPF_MOV, .off = 8, .low = 0x70, .high = 0x7f},
	 0x70,
	 0x7f,
	 0x70,
	 0x7f},
	{"movsx 8 of a negative",
	 0,
	 0,
	 {BPF_MOV, .off = 8, .low = 0x1f0, .high = 0x1ff},
	 -16ull,
	 -1ull,
	 -16,
	 -1},
};

static void ranges_are_exact(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(exact_rows); i++) {
		const struct exact_row *row = &exact_rows[i];
		const struct step *step = &row->step;
		struct scalar result = scalar_urange(row->low, row->high);
		struct scalar other = scalar_urange(step->low, step->high);

		scalar_alu(&result, &other, step->op, step->is32, step->off);
		if (result.umin == row->umin && result.umax == row->umax &&
		    result.smin == row->smin && result.smax == row->smax)
			continue;
		print_scalar(row->name, &result);
		fail();
	}
}

struct branch_row {
	const char *name;
	u64 low, high, other_low, other_high;
	u8 op;
	bool is32, taken;
	int outcome;
	u64 umin, umax; /* of the first operand after the refinement */
};

static const struct branch_row branch_rows[] = {
	{"== narrows to the common part", 0, 10, 5, 20, BPF_JEQ, false, true, -1, 5, 10},
	{"== of disjoint ranges", 0, 4, 5, 20, BPF_JEQ, false, false, 0, 0, 4},
	{"!= drops an end", 0, 10, 0, 0, BPF_JNE, false, true, -1, 1, 10},
	{"!= 32 drops an end", 0, 10, 10, 10, BPF_JNE, true, true, -1, 0, 9},
	{"< of two ranges", 0, 100, 5, 20, BPF_JLT, false, true, -1, 0, 19},
	{">= of two ranges", 0, 100, 5, 20, BPF_JLT, false, false, -1, 5, 100},
	{"> always", 10, 20, 1, 9, BPF_JGT, false, true, 1, 10, 20},
	{"s> of a small range", 0, 100, 5, 5, BPF_JSGT, false, true, -1, 6, 100},
	{"& of one bit not set", 0, 15, 8, 8, BPF_JSET, false, false, -1, 0, 7},
	{"& of one bit set", 0, 15, 8, 8, BPF_JSET, false, true, -1, 8, 15},
	{"w< bounds the low half only", 0, UINT64_MAX, 5, 5, BPF_JLT, true, true, -1, 0,
	 0xffffffff00000004},
};

static void branches_narrow(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(branch_rows); i++) {
		const struct branch_row *row = &branch_rows[i];
		struct scalar a = scalar_urange(row->low, row->high);
		struct scalar b = scalar_urange(row->other_low, row->other_high);
		int outcome = scalar_branch(&a, &b, row->op, row->is32);

		if (outcome == row->outcome &&
		    scalar_refine(&a, &b, row->op, row->is32, row->taken) &&
		    a.umin == row->umin && a.umax == row->umax)
			continue;
		print_scalar(row->name, &a);
		fail_msg("outcome %d", outcome);
	}
}

/* A fact about one width is a fact about the other. */
static void widths_inform_each_other(void **state)
{
	struct scalar a = scalar_urange(0x100000005, 0x100000009), b = scalar_unknown();
	struct scalar zero = scalar_const(0), five = scalar_const(5);

	assert_int_equal(a.umin32, 5);
	assert_int_equal(a.umax32, 9);

	b = scalar_urange(0, UINT32_MAX);
	assert_true(scalar_refine(&b, &five, BPF_JSLT, true, true));
	assert_true(scalar_refine(&b, &zero, BPF_JSGE, true, true));
	assert_int_equal(b.umax, 4);

	/* the signed range of the low half survives the loss of the upper one */
	b = scalar_unknown();
	b.smin32 = -8;
	b.smax32 = 7;
	assert_true(scalar_sync(&b));
	scalar_zero_extend32(&b);
	assert_true(b.smin32 == -8 && b.smax32 == 7 && b.umax == UINT32_MAX);

	/* -1..1 in the low half, and a small signed number: -1..1 altogether */
	b = scalar_unknown();
	b.smin = INT32_MIN;
	b.smax = INT32_MAX;
	b.smin32 = -1;
	b.smax32 = 1;
	assert_true(scalar_sync(&b));
	assert_true(b.smin == -1 && b.smax == 1);
}

static void contradictions_are_found(void **state)
{
	struct scalar a = scalar_urange(0, 7), b = scalar_const(8), c = scalar_urange(0, 7);

	assert_false(scalar_meet(&a, &b));
	assert_false(scalar_refine(&c, &b, BPF_JGT, false, true));
	c = scalar_urange(1, 3);
	c.bits = (struct tnum){0, 4};
	assert_false(scalar_sync(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_keep_every_result),
		cmocka_unit_test(quick_results_are_those_of_the_general_way),
		cmocka_unit_test(widths_keep_every_value),
		cmocka_unit_test(comparisons_keep_every_operand),
		cmocka_unit_test(joins_and_meets_keep_what_they_must),
		cmocka_unit_test(ranges_are_exact),
		cmocka_unit_test(branches_narrow),
		cmocka_unit_test(widths_inform_each_other),
		cmocka_unit_test(contradictions_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
