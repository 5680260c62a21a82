/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's calls, and instructions that need no code, of whatever machine. */
#include "jit/base.h"
#include "jit/tail_call.h"
#include "map/map.h"
#include "run/run.h"

#include <errno.h>
#include <stddef.h>

/* --- both tiers' --- */

void base_call_body(struct base *base, const struct call_site *site)
{
	base_load_run(base, MACHINE_RUN);
	machine_mov_imm(&base->emit, MACHINE_SCRATCH, ptr_to_u64(site));
	machine_store64(&base->emit, MACHINE_SCRATCH, MACHINE_RUN,
			offsetof(struct run_context, site));
	base_call(base, site->body);
}

void base_restore_program(struct base *base)
{
	base_load_run(base, MACHINE_SECOND);
	machine_mov_imm(&base->emit, MACHINE_SCRATCH, ptr_to_u64(base->prog));
	machine_store64(&base->emit, MACHINE_SCRATCH, MACHINE_SECOND,
			offsetof(struct run_context, prog));
}

const struct map *base_map_of_call(const struct base *base, u32 at)
{
	const struct map_desc *desc = insn_fact_map(&base->verified->facts[at]);

	for (u32 i = 0; desc && i < base->verified->map_cnt; i++)
		if (base->verified->maps[i] == desc)
			return map_of_desc(desc);
	return NULL;
}

/* --- calls --- */

void base_take_result(struct base *base)
{
	base_move(base, W64, base_reg[BPF_REG_0], MACHINE_RESULT);
}

void base_call_iterator(struct base *base, u32 at)
{
	base_call_helper(base, at);
}

void base_call_site(struct base *base, u32 at)
{
	base_call_body(base, u64_to_ptr((u64)base->code->insns[at].imm));
	base_take_result(base);
}

static void burn_call(struct base *base, u32 at, u32 callee)
{
	base_burn(base, code_length(base->code, callee));
	if (!base->verified->facts[at].holds)
		base_stop_below_0(base);
}

static void end_call(struct base *base)
{
	base_take_result(base);
	if (base->verified->has_tail_call)
		base_restore_program(base);
}

void base_call_local(struct base *base, u32 at)
{
	const u32 callee = (u32)base->verified->facts[at].callee;

	if (base->has_fuel)
		burn_call(base, at, callee);
	base_call_subprog(base, callee);
	end_call(base);
}

void base_call_global(struct base *base, u32 at)
{
	const u32 callee = (u32)base->code->insns[at].operand;

	if (base->has_fuel)
		burn_call(base, at, callee);
	base_call_replaceable(base, callee);
	end_call(base);
}

static void leave_for_another(void *cookie)
{
	base_leave_frame(cookie);
}

void base_tail_call(struct base *base, u32 at)
{
	const struct tail_call call = {
		.map = base_map_of_call(base, at), .leave = leave_for_another, .cookie = base};

	tail_call(base, &call);
}

/* --- others --- */

void base_ld_imm64(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];

	/* What is not the program's own number is an address. */
	if (base->verified->insns[at].src_reg)
		machine_mov_imm(&base->emit, dst_of(insn), (u64)insn->imm);
	else
		base_load_const(base, dst_of(insn), (u64)insn->imm, MACHINE_SCRATCH);
}

/* The verifier proved that nothing comes here. */
void base_dead(struct base *base, u32 at)
{
}

/* Barriers and rounds are facts beside the instructions, which keep their own operations. */
void base_barrier(struct base *base, u32 at)
{
}

/* Programs that throw are interpreted. */
void base_throw(struct base *base, u32 at)
{
	base->err = -EOPNOTSUPP;
}

/* So are programs with an arena. */
void base_arena_access(struct base *base, u32 at)
{
	base->err = -EOPNOTSUPP;
}

void base_arena_user(struct base *base, u32 at)
{
	base->err = -EOPNOTSUPP;
}
