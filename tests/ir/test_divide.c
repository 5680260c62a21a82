/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotients by multiplication: all divisors of some thousand, and others, of numbers around the
 * multiples where a quotient changes. */
#include "ir/divide.h"
#include "tests/unit.h"

static u64 quotient(u64 number, const struct ir_magic *magic, u32 bits)
{
	const unsigned __int128 product = (unsigned __int128)number * magic->factor;
	const u64 high = (u64)(product >> bits);

	if (!magic->adds)
		return (u64)(product >> magic->shift);
	return (((number - high) >> 1) + high) >> (magic->shift - bits - 1);
}

static void check_at(u64 number, u64 divisor, const struct ir_magic *magic, u32 bits)
{
	number &= ~0ull >> (64 - bits); /* below 0 it wraps */
	if (quotient(number, magic, bits) != number / divisor)
		fail_msg("%llu / %llu of %u bits: %llu", number, divisor, bits,
			 quotient(number, magic, bits));
}

static void check(u64 divisor, u32 bits)
{
	const u64 largest = ~0ull >> (64 - bits);
	const struct ir_magic magic = ir_magic(divisor, bits);
	const u64 last = largest / divisor * divisor;

	for (u64 i = 0; i < 4; i++) {
		check_at(i, divisor, &magic, bits);
		check_at(largest - i, divisor, &magic, bits);
		check_at(divisor - 1 + i, divisor, &magic, bits);
		check_at(last - i, divisor, &magic, bits);
		check_at((largest / 2 / divisor * divisor) - i, divisor, &magic, bits);
	}
}

static void test_quotients(void **state)
{
	for (u64 divisor = 3; divisor < 20000; divisor++) {
		if (is_power_of_two(divisor))
			continue;
		check(divisor, 32);
		check(divisor, 64);
	}
	for (u32 bit = 5; bit < 64; bit++)
		for (u64 i = 1; i < 4; i++) {
			check((1ull << bit) - i, 64);
			check((1ull << bit) + i, 64);
			if (bit < 32) {
				check((1ull << bit) - i, 32);
				check((1ull << bit) + i, 32);
			}
		}
}

static void test_random_divisors(void **state)
{
	u64 random = 0x9e3779b97f4a7c15ULL;

	for (u32 i = 0; i < 200000; i++) {
		u64 divisor;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		divisor = (random | 3) >> random % 60;
		if (divisor < 3 || is_power_of_two(divisor))
			continue;
		check(divisor, 64);
		if (divisor <= UINT32_MAX)
			check(divisor, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_quotients),
					   cmocka_unit_test(test_random_divisors)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
