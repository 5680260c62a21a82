/* SPDX-License-Identifier: BSD-2-Clause */
/* Small changes of programs that were accepted: what comes of it is near the edge of that. */
#ifndef SKEP_FUZZ_MUTATION_H
#define SKEP_FUZZ_MUTATION_H

#include "fuzz/random.h"
#include <linux/bpf.h>

/* Changes one instruction, or swaps two. No instruction moves otherwise, and wide ones keep
 * both their slots: jumps and records of functions and lines stay right. */
void mutate_insns(u64 *random, struct bpf_insn *insns, u32 count);

#endif
