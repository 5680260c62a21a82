/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that may still be read. Where a subprogram has a loop, first of blocks as a whole,
 * until nothing changes; then of each instruction, once.
 */
#include "verify/liveness.h"

#include <errno.h>

#define REGS_CLOBBER 0x03f /* r0 .. r5: what a call leaves undefined */
#define REGS_ARGS    0x03e /* r1 .. r5 */

static u16 reg_bit(u32 reg)
{
	return (u16)((1u << reg) & REGS_ALL);
}

const struct helper_row *insn_helper(const struct bpf_insn *insn)
{
	if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg)
		return NULL;
	return helper_row((u32)insn->imm);
}

static u16 call_reads(const struct bpf_insn *insn)
{
	const struct helper_row *helper = insn_helper(insn);
	u16 reads = 0;

	if (!helper)
		return REGS_ARGS;
	for (u32 i = 0; i < HELPER_ARGS; i++) {
		if (helper->arg[i].kind != ARG_NONE)
			reads |= reg_bit(BPF_REG_1 + i);
	}
	return reads;
}

static bool is_packet_load(u8 code)
{
	return BPF_CLASS(code) == BPF_LD && BPF_MODE(code) != BPF_IMM;
}

/* `named`: 1 dst, 2 src. */
static u16 named_regs(const struct bpf_insn *insn, u32 named)
{
	return ((named & 1) << insn->dst_reg | (named >> 1) << insn->src_reg) & REGS_ALL;
}

struct reg_use insn_reg_use_other(const struct bpf_insn *insn)
{
	enum insn_op op = insn_op(insn);
	const struct insn_desc *desc = insn_desc(op);
	struct reg_use use = {named_regs(insn, desc->reads), named_regs(insn, desc->writes)};

	if (op == INSN_INVALID)
		return (struct reg_use){REGS_ALL, 0};
	if (insn->code == (BPF_JMP | BPF_CALL))
		return (struct reg_use){call_reads(insn), REGS_CLOBBER};
	if (insn->code == (BPF_JMP | BPF_EXIT))
		return (struct reg_use){reg_bit(BPF_REG_0), 0};
	if (is_packet_load(insn->code)) {
		use.reads |= reg_bit(BPF_REG_6);
		use.writes |= REGS_CLOBBER;
	}
	if (op == INSN_ATOMIC_CMPXCHG32 || op == INSN_ATOMIC_CMPXCHG64) {
		use.reads |= reg_bit(BPF_REG_0);
		use.writes |= reg_bit(BPF_REG_0);
	}
	return use;
}

/* --- blocks --- */

/* What is alive before something, of what is alive behind it. */
static u16 alive_before(struct reg_use use, u16 after)
{
	return (u16)((after & ~use.writes) | use.reads);
}

static u16 alive_behind(const struct cfg *cfg, const struct cfg_block *block,
			const struct liveness *live)
{
	u32 successors[2], count = cfg_successors(cfg, block->last, successors);
	u16 after = 0;

	for (u32 i = 0; i < count; i++)
		after |= live->regs[successors[i]];
	return after;
}

static struct reg_use block_use(const struct cfg *cfg, const struct cfg_block *block)
{
	struct reg_use all = {0, 0};

	for (u32 at = block->last;; at = cfg_before(cfg, at)) {
		struct reg_use use = insn_reg_use(&cfg->insns[at]);

		all.reads = alive_before(use, all.reads);
		all.writes |= use.writes;
		if (at == block->first)
			return all;
	}
}

/* `uses`: room for those of all blocks. */
static void go_round_loops(const struct cfg *cfg, u32 subprog, struct reg_use *uses,
			   struct liveness *live)
{
	u32 start = cfg->postorder_start[subprog], end = cfg->postorder_start[subprog + 1];
	bool changed;

	for (u32 i = start; i < end; i++)
		uses[i] = block_use(cfg, &cfg->postorder[i]);
	do {
		changed = false;
		for (u32 i = start; i < end; i++) {
			const struct cfg_block *block = &cfg->postorder[i];
			u16 *alive = &live->regs[block->first], old = *alive;

			*alive = alive_before(uses[i], alive_behind(cfg, block, live));
			changed |= *alive != old;
		}
	} while (changed);
}

static void fill_block(const struct cfg *cfg, const struct cfg_block *block,
		       struct liveness *live)
{
	u16 alive = alive_behind(cfg, block, live);

	for (u32 at = block->last;; at = cfg_before(cfg, at)) {
		alive = alive_before(insn_reg_use(&cfg->insns[at]), alive);
		live->regs[at] = alive;
		if (at == block->first)
			return;
	}
}

/* Without a loop, all that follows a block came before it. */
static void compute_regs(const struct cfg *cfg, u32 subprog, struct reg_use *uses,
			 struct liveness *live)
{
	if (cfg->subprogs[subprog].has_loop)
		go_round_loops(cfg, subprog, uses, live);
	for (u32 i = cfg->postorder_start[subprog]; i < cfg->postorder_start[subprog + 1]; i++)
		fill_block(cfg, &cfg->postorder[i], live);
}

int liveness_compute(const struct cfg *cfg, const struct insn_fact *facts, bool stores_look,
		     struct arena *arena, struct liveness *out)
{
	u32 blocks = cfg->postorder_start[cfg->subprog_cnt];
	struct reg_use *uses;
	struct arena own;
	int ret = -ENOMEM;

	arena_init(&own);
	out->regs = arena_array(arena, cfg->insn_cnt, sizeof(*out->regs));
	out->slots = arena_array(arena, cfg->insn_cnt, sizeof(*out->slots));
	uses = arena_array(&own, blocks, sizeof(*uses));
	if (out->regs && out->slots && uses) {
		for (u32 i = 0; i < cfg->subprog_cnt; i++)
			compute_regs(cfg, i, uses, out);
		ret = liveness_compute_slots(cfg, facts, stores_look, &own, out);
	}
	arena_done(&own);
	return ret;
}
