/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose runs are limited (VERIFY_FUEL) may be stopped where a round of a loop begins
 * (rounds.c) and at calls of their own functions, and what they held then would be lost. So
 * they hold nothing in a loop's first instruction, nor at a call of a global function, which is
 * walked without what its callers hold; and calls of other functions at which something is held
 * are told to the executors, which then only count.
 */
#include "verify/fuel.h"

#include "verify/kfunc.h"

/* An iterator over numbers has nothing that would be lost. */
static bool is_number_iterator(const struct walk *walk, const struct resource *resource)
{
	const struct kfunc *kfunc = insn_fact_kfunc(&walk->out->facts[resource->insn]);

	return resource->kind == RESOURCE_REFERENCE && kfunc && kfunc->row &&
	       kfunc->row->special == KFUNC_ITER_NUM;
}

static bool holds_something(const struct walk *walk)
{
	const struct resources *held = &walk->state.resources;

	if (held->sections.rcu || held->sections.preempt || held->sections.irq_id)
		return true;
	for (u32 i = 0; i < held->count; i++)
		if (!is_number_iterator(walk, &held->all[i]))
			return true;
	return false;
}

int fuel_prove_limited(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);
	struct insn_fact *fact = &walk->out->facts[walk->at];
	s64 target;

	if (walk->out->rounds[walk->at] && holds_something(walk))
		return reject(walk, fuel_held, "a round of a loop begins");
	if (!insn_is_subprog_call(insn, walk->at, &target) || !holds_something(walk))
		return 0;
	if (walk->cfg.subprogs[fact->callee].is_global)
		return reject(walk, fuel_held, "a call of a global function");
	fact->holds = true;
	return 0;
}
