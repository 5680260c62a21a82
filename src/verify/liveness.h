/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may still be read: registers and stack slots that some path from an instruction reads
 * before it writes them. States that differ only in what is dead need not be told apart.
 *
 * Slots are those of the instruction's own frame, bit i is the slot at [-8 (i + 1), -8 i). A
 * frame whose address got out of sight (stored, passed to a call that keeps no known size) has
 * all slots alive where that may matter.
 */
#ifndef SKEP_VERIFY_LIVENESS_H
#define SKEP_VERIFY_LIVENESS_H

#include "verify/cfg.h"

struct liveness {
	u16 *regs;  /* insn_cnt: registers alive before the instruction; r10 never is */
	u64 *slots; /* insn_cnt: stack slots alive before the instruction */
};

/* 0 or -ENOMEM. */
int liveness_compute(const struct cfg *cfg, struct arena *arena, struct liveness *out);

#endif
