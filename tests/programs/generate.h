/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs, the same for the same seed. A program (XDP) takes registers and stack words
 * from its packet, so that no verifier knows them, does a few dozen random things with them,
 * and writes all of them back into the packet.
 */
#ifndef SKEP_TESTS_GENERATE_H
#define SKEP_TESTS_GENERATE_H

#include "isa/isa.h"

#define GENERATED_REGISTERS 8
#define GENERATED_STACK	    4 /* words */
#define GENERATED_WORDS	    (GENERATED_REGISTERS + GENERATED_STACK)
#define GENERATED_PACKET    (8 * GENERATED_WORDS) /* bytes that it reads and writes */
#define GENERATED_VALUE	    64			  /* value size of the map, number 0 */
#define GENERATED_MAX	    512			  /* slots */

struct generated {
	struct bpf_insn insns[GENERATED_MAX]; /* LD_MAP_VALUE names map number 0 */
	u32 count;
};

void generate(u64 seed, struct generated *out);

/* The next number of the stream that generate() left behind. */
u64 generate_word(void);

#endif
