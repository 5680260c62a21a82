/* SPDX-License-Identifier: BSD-2-Clause */
/* What a verifier's log says of its verdict. */
#ifndef SKEP_FUZZ_VERDICT_H
#define SKEP_FUZZ_VERDICT_H

#include "base/types.h"
#include "verify/verify.h"
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

/* The way goes where it does not, to skep: no run has gone there, which the checked interpreter
 * sees to. */
bool verdict_is_decided_branch(const char *log, const struct bpf_insn *insns,
			       const struct insn_fact *facts, u32 count);

/* A branch that skep decides, and Linux walks both ways. */
bool insn_compares_with_itself(const struct bpf_insn *insn);

#endif
