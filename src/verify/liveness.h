/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may still be read: registers and stack slots that some path from an instruction reads
 * before it writes them. States that differ only in what is dead need not be told apart.
 *
 * Slots are those of the instruction's own frame, bit i is the slot at [-8 (i + 1), -8 i). What
 * a callee may read of its callers' frames is alive before the call, and so during it.
 */
#ifndef SKEP_VERIFY_LIVENESS_H
#define SKEP_VERIFY_LIVENESS_H

#include "isa/isa.h"
#include "verify/cfg.h"

#define REGS_ALL 0x3ff /* r0 .. r9 */

/* Registers that an instruction reads and writes, as masks; r10 is left out. */
struct reg_use {
	u16 reads, writes;
};

struct liveness {
	u16 *regs;  /* insn_cnt: registers alive before the instruction; r10 never is */
	u64 *slots; /* insn_cnt: stack slots alive before the instruction */
};

/* `facts`: the maps that ld_imm64 name (resolve.c); NULL: none is known. `stores_look`: what a
 * slot holds decides whether and how it may be written to (loaders without CAP_PERFMON), so
 * that a write counts as a read. 0 or -ENOMEM. */
int liveness_compute(const struct cfg *cfg, const struct insn_fact *facts, bool stores_look,
		     struct arena *arena, struct liveness *out);

/* Of one that insn_plain_regs does not tell of. */
struct reg_use insn_reg_use_other(const struct bpf_insn *insn);

static inline struct reg_use insn_reg_use(const struct bpf_insn *insn)
{
	u32 named = insn_plain_regs[insn->code], dst = insn->dst_reg, src = insn->src_reg;

	if (!named)
		return insn_reg_use_other(insn);
	return (struct reg_use){
		((named & 1) << dst | (named >> 1 & 1) << src) & REGS_ALL,
		((named >> 2 & 1) << dst | named >> 3 << src) & REGS_ALL,
	};
}

/* The helper that is called; NULL: no helper call, or of an unknown one. */
const struct helper_row *insn_helper(const struct bpf_insn *insn);

/* The second half of liveness_compute(): out->regs are there, out->slots are filled in. The
 * arena may go then. */
int liveness_compute_slots(const struct cfg *cfg, const struct insn_fact *facts,
			   bool stores_look, struct arena *arena, struct liveness *out);

#endif
