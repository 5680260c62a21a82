/* SPDX-License-Identifier: BSD-2-Clause */
/* For programs with loops of unknown length. */
#ifndef SKEP_TESTS_LOOPS_H
#define SKEP_TESTS_LOOPS_H

#define can_loop                                                    \
	({                                                          \
		__label__ ends, goes_on;                            \
		int may = 1;                                        \
                                                                    \
		asm volatile goto("may_goto %l[ends];" ::: : ends); \
		goto goes_on;                                       \
ends:                                                               \
		may = 0;                                            \
goes_on:;                                                           \
		may;                                                \
	})

/* `mask` becomes another number on each path. */
#define BRANCH(bit) \
	asm volatile("if %1 & " #bit " goto +1; %0 += " #bit ";" : "+r"(mask) : "r"(what));
#define BRANCHES_4 BRANCH(1) BRANCH(2) BRANCH(4) BRANCH(8)
#define BRANCHES_8 BRANCHES_4 BRANCH(16) BRANCH(32) BRANCH(64) BRANCH(128)
#define BRANCHES_16                                                                            \
	BRANCHES_8 BRANCH(256) BRANCH(512) BRANCH(1024) BRANCH(2048) BRANCH(4096) BRANCH(8192) \
		BRANCH(16384) BRANCH(32768)

#endif
