// SPDX-License-Identifier: BSD-2-Clause
/* Loops: those that end by their numbers, and may_goto, which ends any. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "loops.h"
#include "verdict.h"

int zero, array[100];

#define UNKNOWN(number) asm volatile("" ::"r"(number))

/* --- may_goto --- */

SEC("socket") ACCEPT int number_decides_nothing(void *context)
{
	int sum = 0;

	for (int i = 0; can_loop; i++)
		sum += i;
	return sum;
}

SEC("socket") ACCEPT int checked_in_each_round(void *context)
{
	int sum = 0;

	for (int i = zero; can_loop && i < 100; i++)
		if (i >= 0)
			sum += array[i];
	return sum;
}

SEC("socket") ACCEPT int ends_before_may_goto(void *context)
{
	int sum = 0;

	for (unsigned int i = 0; i < 100 && can_loop; i++)
		sum += array[i];
	return sum;
}

SEC("socket") ACCEPT int masked_index(void *context)
{
	int sum = 0;

	for (unsigned int i = zero; can_loop; i++)
		sum += array[i & 63];
	return sum;
}

SEC("socket") REJECT("unbounded memory access") int unchecked_index(void *context)
{
	int sum = 0;

	for (unsigned int i = zero; can_loop; i++)
		sum += array[i];
	return sum;
}

SEC("socket")
REJECT("invalid access to map value, value_size=404 off=404")
int constant_index_goes_beyond(void *context)
{
	int sum = 0;

	for (unsigned int i = 0; can_loop; i++)
		sum += array[i];
	return sum;
}

SEC("socket") ACCEPT int index_behind_the_loop(void *context)
{
	unsigned int i;

	for (i = 0; i < 50 && can_loop; i++)
		;
	return array[i];
}

SEC("socket") REJECT("invalid access to map value") int any_index_behind(void *context)
{
	unsigned int i;

	for (i = 0; can_loop; i++)
		;
	return array[i];
}

/* The inner counter decides in each round that there is a next one. Linux happens to meet a round
 * that had decided nothing yet, and forgets it there. */
SEC("socket") ACCEPT PROCESSED(100000) NAKED int counter_that_decides(void *context)
{
	asm volatile("w0 = 0;"
		     "r1 = %[zero] ll;"
		     "w3 = *(u32 *)(r1 + 0);"
		     "if w3 > 999 goto 4f;"
		     "1: w2 = w3;"
		     "may_goto 4f;"
		     "w3 = *(u32 *)(r1 + 0);"
		     "if w3 > 999 goto 3f;"
		     "w4 = w3;"
		     "w4 *= w2;"
		     "w3 += -1;"
		     "2: may_goto 3f;"
		     "w0 += w4;"
		     "w4 += w2;"
		     "w3 += 1;"
		     "if w3 < -210445240 goto 2b;"
		     "3: w3 = w2;"
		     "w3 += 1;"
		     "if w2 < 999 goto 1b;"
		     "4: exit;" ::[zero] "i"(&zero));
}

SEC("socket") ACCEPT int loop_in_loop(void *context)
{
	int sum = 0;

	for (unsigned int i = zero; i < 1000 && can_loop; i++)
		for (unsigned int j = zero; j < 1000 && can_loop; j++)
			sum += i * j;
	return sum;
}

SEC("socket") ACCEPT int writes_stack(void *context)
{
	volatile char bytes[16] = {};

	for (unsigned int i = zero; i < 16 && can_loop; i++)
		bytes[i] = i;
	return bytes[3];
}

static __attribute__((noinline)) int sum_of(int factor)
{
	int sum = 0;

	for (int i = zero; i < 100 && can_loop; i++)
		sum += i * factor;
	return sum;
}

SEC("socket") ACCEPT int loop_in_function(void *context)
{
	return sum_of(1) + sum_of(2);
}

SEC("socket") REJECT("R6 invalid mem access 'scalar'") NAKED int pointer_or_number(void)
{
	asm volatile("r6 = r10;"
		     "r0 = 0;"
		     "1: may_goto 2f;"
		     "r6 = 0;"
		     "goto 1b;"
		     "2: r0 = *(u64 *)(r6 - 8);"
		     "exit;");
}

SEC("socket") ACCEPT NAKED int to_the_next(void)
{
	asm volatile("r0 = 0;"
		     "may_goto 1f;"
		     "1: exit;");
}

/* Once it ends the loop, it does so every time. */
SEC("socket") REJECT("infinite loop detected at insn 0") NAKED int ends_at_itself(void)
{
	asm volatile("1: may_goto 1b;"
		     "r0 = 0;"
		     "exit;");
}

SEC("socket") REJECT("infinite loop detected at insn 1") NAKED int forever_inside(void)
{
	asm volatile("1: may_goto 2f;"
		     "3: goto 3b;"
		     "2: r0 = 0;"
		     "exit;");
}

SEC("socket") REJECT("infinite loop detected at insn 4") NAKED int forever_behind(void)
{
	asm volatile("r0 = 0;"
		     "1: may_goto 2f;"
		     "goto 1b;"
		     "2: r0 = 1;"
		     "3: if r0 == 1 goto 3b;"
		     "exit;");
}

#define MAYBE_ADD(number)              \
	if (bpf_get_prandom_u32() & 1) \
	asm volatile("%0 += %1;" : "+r"(sum) : "i"(1 << (number)))

#define MAYBE_ADD_EIGHT(first)  \
	MAYBE_ADD(first);       \
	MAYBE_ADD((first) + 1); \
	MAYBE_ADD((first) + 2); \
	MAYBE_ADD((first) + 3); \
	MAYBE_ADD((first) + 4); \
	MAYBE_ADD((first) + 5); \
	MAYBE_ADD((first) + 6); \
	MAYBE_ADD((first) + 7)

/* 2^24 paths that differ in a number that decides nothing. */
SEC("socket") ACCEPT int branches_behind(void *context)
{
	long sum = 0;

	for (long i = zero; i < 100 && can_loop; i++)
		array[i & 63] = i;
	MAYBE_ADD_EIGHT(0);
	MAYBE_ADD_EIGHT(8);
	MAYBE_ADD_EIGHT(16);
	return sum;
}

/* --- without --- */

SEC("socket") ACCEPT int bounded(void *context)
{
	long sum = 0;

	for (int i = 0; i < 1000; i++) {
		sum += i;
		UNKNOWN(sum);
	}
	return sum;
}

SEC("socket") ACCEPT int counts_down(void *context)
{
	int left = bpf_get_prandom_u32() & 0xff;

	while (left > 0) {
		left--;
		UNKNOWN(left);
	}
	return 0;
}

SEC("socket") ACCEPT int branches_inside(void *context)
{
	unsigned int odd = 0;

	for (int i = 0; i < 20; i++)
		if (bpf_get_prandom_u32() & 1)
			odd++;
	return array[odd];
}

SEC("socket") REJECT("infinite loop detected at insn 0") int ends_by_chance(void *context)
{
	while (bpf_get_prandom_u32())
		;
	return 0;
}

char _license[] SEC("license") = "GPL";
