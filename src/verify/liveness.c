/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that may still be read: backwards over each subprogram until nothing changes. */
#include "verify/liveness.h"

#include "isa/isa.h"

#include <errno.h>

#define REGS_ALL     0x3ff /* r0 .. r9 */
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

static void field_use(const struct insn_field *field, u32 reg, struct reg_use *use)
{
	if (field->kind == FIELD_READ || field->kind == FIELD_READ_WRITE)
		use->reads |= reg_bit(reg);
	if (field->kind == FIELD_WRITE || field->kind == FIELD_READ_WRITE)
		use->writes |= reg_bit(reg);
}

static bool is_packet_load(u8 code)
{
	return BPF_CLASS(code) == BPF_LD && BPF_MODE(code) != BPF_IMM;
}

struct reg_use insn_reg_use(const struct bpf_insn *insn)
{
	enum insn_op op = insn_op(insn);
	const struct insn_desc *desc = insn_desc(op);
	struct reg_use use = {0, 0};

	if (op == INSN_INVALID)
		return (struct reg_use){REGS_ALL, 0};
	if (insn->code == (BPF_JMP | BPF_CALL))
		return (struct reg_use){call_reads(insn), REGS_CLOBBER};
	if (insn->code == (BPF_JMP | BPF_EXIT))
		return (struct reg_use){reg_bit(BPF_REG_0), 0};
	field_use(&desc->dst, insn->dst_reg, &use);
	field_use(&desc->src, insn->src_reg, &use);
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

static bool update_regs(const struct cfg *cfg, u32 at, struct liveness *live)
{
	struct reg_use use = live->uses[at];
	u32 successors[2], count = cfg_successors(cfg, at, successors);
	u16 after = 0, before;

	for (u32 i = 0; i < count; i++)
		after |= live->regs[successors[i]];
	before = (u16)((after & ~use.writes) | use.reads);
	if (before == live->regs[at])
		return false;
	live->regs[at] = before;
	return true;
}

static void compute_regs(const struct cfg *cfg, u32 subprog, struct liveness *live)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (u32 i = cfg->postorder_start[subprog];
		     i < cfg->postorder_start[subprog + 1]; i++)
			changed |= update_regs(cfg, cfg->postorder[i], live);
		if (!cfg->subprogs[subprog].has_loop)
			break; /* all that follows an instruction came before it */
	}
}

static void find_uses(const struct cfg *cfg, struct reg_use *uses)
{
	for (u32 at = 0; at < cfg->insn_cnt; at++)
		if (!(cfg->flags[at] & CFG_SECOND_HALF))
			uses[at] = insn_reg_use(&cfg->insns[at]);
}

int liveness_compute(const struct cfg *cfg, const struct insn_fact *facts, bool stores_look,
		     struct arena *arena, struct liveness *out)
{
	struct arena own;
	int ret = -ENOMEM;

	arena_init(&own);
	out->regs = arena_array(arena, cfg->insn_cnt, sizeof(*out->regs));
	out->slots = arena_array(arena, cfg->insn_cnt, sizeof(*out->slots));
	out->uses = arena_array(&own, cfg->insn_cnt, sizeof(*out->uses));
	if (out->regs && out->slots && out->uses) {
		find_uses(cfg, out->uses);
		for (u32 i = 0; i < cfg->subprog_cnt; i++)
			compute_regs(cfg, i, out);
		ret = liveness_compute_slots(cfg, facts, stores_look, &own, out);
	}
	out->uses = NULL;
	arena_done(&own);
	return ret;
}
