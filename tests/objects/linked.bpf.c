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

char _license[] SEC("license") = "GPL";
