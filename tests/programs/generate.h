/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs, the same for the same seed: any row of isa.def that computes. A program
 * (XDP) takes registers and stack words from its packet, so that no verifier knows them, works
 * on them, and writes all of them back into the packet. Memory at its limits is what
 * fuzz/generate.c is for.
 */
#ifndef SKEP_TESTS_GENERATE_H
#define SKEP_TESTS_GENERATE_H

#include "isa/isa.h"

#define GENERATED_REGISTERS 8
#define GENERATED_STACK	    4 /* words */
#define GENERATED_WORDS	    (GENERATED_REGISTERS + GENERATED_STACK)
#define GENERATED_PACKET    (8 * GENERATED_WORDS) /* bytes that it reads and writes */
#define GENERATED_MAX	    512			  /* slots */

struct generated {
	struct bpf_insn insns[GENERATED_MAX];
	u32 count;
};

void generate(u64 seed, struct generated *out);

/* The next number of the stream that generate() left behind. */
u64 generate_word(void);

#endif
