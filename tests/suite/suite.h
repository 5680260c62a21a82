/* SPDX-License-Identifier: BSD-2-Clause */
/* A case of the kernel's own test-suite as cases.c writes it and main.c reads it: behind it stand
 * its instructions. */
#ifndef SKEP_TESTS_SUITE_H
#define SKEP_TESTS_SUITE_H

#include <linux/types.h>

#define SUITE_RUNS  3
#define SUITE_DATA  256
#define SUITE_INSNS 40000 /* longer programs take too long to verify */

struct suite_case {
	char name[96];
	__u32 insn_cnt, run_cnt;
	__u32 sizes[SUITE_RUNS], results[SUITE_RUNS];
	__u8 data[SUITE_DATA];
};

#endif
