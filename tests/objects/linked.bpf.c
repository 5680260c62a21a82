// SPDX-License-Identifier: BSD-2-Clause
/* Numbers that differ by a constant, in all their bits or in the low half. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

int values[16];

#define PROGRAM(name, verdict, relation, reg)                                                \
	SEC("socket") verdict NAKED int name(void)                                            \
	{                                                                                     \
		asm volatile("call %[random];" relation                                       \
			     "r2 = %[values] ll; w" #reg " <<= 2; r2 += r" #reg ";"             \
			     "r0 = *(u32 *)(r2 + 0); r0 = 0; exit;" ::[random] "i"(             \
				     BPF_FUNC_get_prandom_u32),                               \
			     [values] "i"(values)                                             \
			     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7");               \
	}

PROGRAM(low_plus, ACCEPT, "w0 &= 0xff; w1 = w0; w1 += 1; if w0 > 14 goto +5;", 1)
PROGRAM(low_minus, ACCEPT,
	"w0 &= 0xff; w1 = w0; w1 -= 1; if w0 > 16 goto +6; if w0 == 0 goto +5;", 1)
PROGRAM(low_two, ACCEPT, "w0 &= 0xff; w1 = w0; w1 += 1; w3 = w0; w3 += 2; if w1 > 14 goto +5;", 3)
PROGRAM(low_back, REJECT("R2 unbounded memory access"),
	"w1 = w0; w1 += 1; if w1 > 16 goto +6; if w1 == 0 goto +5;", 0)
PROGRAM(low_of_a_wide_one, REJECT("R2 unbounded memory access"),
	"r6 = r0; r6 <<= 32; r6 |= r0; r7 = r6; w7 += 1; if r6 > 14 goto +5;", 7)
PROGRAM(low_plus_twice, REJECT("invalid access to map value, value_size=64 off=1028 size=4"),
	"w0 &= 0xff; w1 = w0; w1 += 1; w1 += 1; if w0 > 13 goto +5;", 1)
PROGRAM(plus, ACCEPT, "w0 &= 0xff; r1 = r0; r1 += 1; if r0 > 14 goto +5;", 1)
PROGRAM(plus_twice, REJECT("invalid access to map value"),
	"w0 &= 0xff; r1 = r0; r1 += 1; r1 += 1; if r0 > 13 goto +5;", 1)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, char[48]);
} bytes SEC(".maps");

/* r6 is a number of 32 bits; `links` makes r7 of it and bounds one of them. */
#define INDEX(links, index)                                                  \
	asm volatile("r6 = *(u32 *)(r1 + 0);" links "*(u32 *)(r10 - 4) = 0;" \
		     "r1 = %[bytes] ll;"                                     \
		     "r2 = r10;"                                             \
		     "r2 += -4;"                                             \
		     "call %[bpf_map_lookup_elem];"                          \
		     "if r0 == 0 goto 2f;"                                   \
		     "r0 += " index ";"                                      \
		     "r0 = *(u8 *)(r0 + 0);"                                 \
		     "2: r0 = 0; exit;" ::[bytes] "i"(&bytes),               \
		     [bpf_map_lookup_elem] "i"(bpf_map_lookup_elem)          \
		     : "memory")

SEC("socket") ACCEPT NAKED int low_sum_follows(void)
{
	INDEX("r7 = r6; w7 += 8; if r6 > 39 goto 2f;", "r7");
}

SEC("socket")
REJECT("invalid access to map value, value_size=48 off=48 size=1")
NAKED int low_sum_follows_too_far(void)
{
	INDEX("r7 = r6; w7 += 8; if r6 > 40 goto 2f;", "r7");
}

/* The difference wraps at 2^32. */
SEC("socket") ACCEPT NAKED int number_follows_low_difference(void)
{
	INDEX("r7 = r6; w7 += -8; if r7 > 39 goto 2f;", "r6");
}

SEC("socket")
REJECT("R0 unbounded memory access")
NAKED int number_wraps_behind_low_sum(void)
{
	INDEX("r7 = r6; w7 += 8; if r7 > 39 goto 2f;", "r6");
}

SEC("socket") ACCEPT NAKED int copy_of_sum_is_linked_to_it(void)
{
	INDEX("r7 = r6; r7 += 8; r8 = r7; r8 += 1; if r7 > 46 goto 2f;", "r8");
}

SEC("socket")
REJECT("R0 unbounded memory access")
NAKED int copied_sum_leaves_its_number(void)
{
	INDEX("r7 = r6; r7 += 8; r8 = r7; if r6 > 39 goto 2f;", "r8");
}

/* r6 has upper bits: its low sum says nothing of it. */
SEC("socket")
REJECT("R0 unbounded memory access")
NAKED int low_sum_of_wide_number(void)
{
	INDEX("r6 *= r6; r7 = r6; w7 += 8; if r6 > 39 goto 2f; r6 = r7;", "r7");
}

SEC("socket") ACCEPT NAKED int constant_in_register(void)
{
	INDEX("r7 = r6; r8 = 8; r7 += r8; if r6 > 39 goto 2f;", "r7");
}

/* A wide sum behind a low one loses the link. */
SEC("socket")
REJECT("R0 unbounded memory access")
NAKED int wide_sum_of_low_sum(void)
{
	INDEX("r7 = r6; w7 += 8; r7 += 8; if r6 > 31 goto 2f;", "r7");
}

/* Only no memory at all may be NULL. */
SEC("tc") REJECT("R1 type=scalar expected=fp") NAKED int null_of_some_bytes(void)
{
	asm volatile("r1 = 0; r2 = 4; r3 = 0; r4 = 0; r5 = 0; call %[csum_diff]; r0 = 0; exit;" ::
			     [csum_diff] "i"(BPF_FUNC_csum_diff));
}

char _license[] SEC("license") = "GPL";
