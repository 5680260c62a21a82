/* SPDX-License-Identifier: BSD-2-Clause */
/* What a verifier's log says of its verdict. */
#ifndef SKEP_FUZZ_VERDICT_H
#define SKEP_FUZZ_VERDICT_H

#include <linux/bpf.h>
#include <stdbool.h>

/* The line before the statistics: why the program was rejected. */
struct verdict_line {
	const char *text; /* in the log */
	int length;
};

struct verdict_line verdict_line(const char *log);

/*
 * Linux's reason is that it knows less of a number: its ranges need not end at values that the
 * known bits allow, and joins of both halves are coarser. Whether skep is right to know more is
 * for the proofs and for the runs to say.
 */
bool verdict_is_about_numbers(const char *log);

/* Linux gives up with EFAULT, as it finds itself in a situation that it thought impossible. */
bool verdict_is_linux_bug(const char *log);

/* A branch that skep decides, and Linux walks both ways. */
bool insn_compares_with_itself(const struct bpf_insn *insn);

#endif
