/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/sections.h"

#include "verify/kfunc.h"

static const struct sections *sections_of(const struct walk *walk)
{
	return &walk->state.resources.sections;
}

bool section_has_rcu(const struct walk *walk)
{
	return sections_of(walk)->rcu || state_lock(&walk->state) || !walk_may_sleep(walk);
}

/* --- the end --- */

/* Linux names each, and what would lose them. */
static int reject_unreleased(struct walk *walk, const struct resource *first, const char *what)
{
	const struct resources *held = &walk->state.resources;
	int code = reject(walk, unreleased, first->id, first->insn);

	if (!walk->log)
		return code;
	for (u32 i = 0; i < held->count; i++)
		if (held->all[i].kind == RESOURCE_REFERENCE && &held->all[i] != first)
			strbuf_addf(walk->log, "Unreleased reference id=%u alloc_insn=%u\n",
				    held->all[i].id, held->all[i].insn);
	strbuf_addf(walk->log, "%s would lead to reference leak\n", what);
	return code;
}

/* A member of a structure of functions may return a reference: the kernel has it then. */
static const struct resource *leaked_reference(struct walk *walk)
{
	const struct resources *held = &walk->state.resources;
	const struct reg_state *result = walk_reg(walk, BPF_REG_0);
	u32 returned = walk->attach.ops && reg_is_pointer(result) ? result->ref_id : 0;

	for (u32 i = 0; i < held->count; i++)
		if (held->all[i].kind == RESOURCE_REFERENCE &&
		    (!returned || held->all[i].id != returned))
			return &held->all[i];
	return NULL;
}

static int prove_references(struct walk *walk, const struct resource *reference,
			    const char *what)
{
	return reference ? reject_unreleased(walk, reference, what) : 0;
}

static int prove_sections(struct walk *walk, const char *what, bool with_sections)
{
	const struct sections *sections = sections_of(walk);

	if (with_sections && state_lock(&walk->state))
		return reject(walk, lock_held, what);
	if (with_sections && sections->irq_id)
		return reject(walk, irq_off, what);
	if (with_sections && sections->rcu)
		return reject(walk, rcu_held, what);
	if (with_sections && sections->preempt)
		return reject(walk, preemption_off, what);
	return 0;
}

/* Only the program itself must have released all: a function may return what it acquired. */
int section_prove_left(struct walk *walk, const char *what, bool with_sections)
{
	int ret = walk->state.frame_cnt > 1
			  ? 0
			  : prove_references(walk, leaked_reference(walk), what);

	return ret ? ret : prove_sections(walk, what, with_sections);
}

int section_prove_all_left(struct walk *walk, const char *what)
{
	int ret = prove_references(walk, state_reference(&walk->state), what);

	return ret ? ret : prove_sections(walk, what, true);
}

/* --- calls that may sleep --- */

int section_prove_helper_sleeps(struct walk *walk, const char *name, u32 id)
{
	const struct sections *sections = sections_of(walk);

	if (sections->rcu)
		return reject(walk, helper_sleeps_rcu, name, id);
	if (sections->preempt)
		return reject(walk, helper_sleeps_preempt, name, id);
	if (sections->irq_id)
		return reject(walk, helper_sleeps_irq, name, id);
	return 0;
}

static int prove_rcu(struct walk *walk, const struct kfunc *kfunc, bool sleeps)
{
	bool is_inside = sections_of(walk)->rcu;
	u8 special = kfunc->row->special;

	if (special == KFUNC_RCU_READ_LOCK && is_inside)
		return reject(walk, rcu_nested, kfunc->name);
	if (special == KFUNC_RCU_READ_UNLOCK && !is_inside)
		return reject(walk, rcu_unmatched, kfunc->name);
	if (sleeps && is_inside)
		return reject(walk, kfunc_sleeps_rcu, kfunc->name);
	return 0;
}

int section_prove_kfunc(struct walk *walk, const struct kfunc *kfunc)
{
	bool sleeps = kfunc_has_flag(kfunc, KF_SLEEPABLE);
	const struct sections *sections = sections_of(walk);
	int ret = prove_rcu(walk, kfunc, sleeps);

	if (ret)
		return ret;
	if (sleeps && sections->preempt)
		return reject(walk, kfunc_sleeps_preempt, kfunc->name);
	if (kfunc->row->special == KFUNC_PREEMPT_ENABLE && !sections->preempt)
		return reject(walk, preemption_unmatched, kfunc->name);
	if (sleeps && sections->irq_id)
		return reject(walk, kfunc_sleeps_irq, kfunc->name);
	if (kfunc_has_flag(kfunc, KF_RCU_PROTECTED) && !section_has_rcu(walk))
		return reject(walk, kfunc_needs_rcu, kfunc->name);
	return 0;
}

/* --- entering and leaving --- */

/* What RCU protected may be gone: it can be looked at with a guard, no more. */
static void distrust(struct reg_state *reg)
{
	if (reg->kind == REG_SCALAR || !(reg->flags & REG_RCU))
		return;
	reg->flags &= ~(REG_RCU | REG_MAY_BE_NULL);
	reg->flags |= REG_UNTRUSTED;
}

static void leave_rcu(struct walk *walk)
{
	struct state *state = &walk->state;
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	state->resources.sections.rcu--;
	while ((reg = state_next_reg(state, &cursor)))
		distrust(reg);
	for (u32 i = 0; i < state->frame_cnt; i++)
		for (u32 slot = 0; slot < state->frames[i].slot_cnt; slot++)
			if (slot_is_object(&state->frames[i].slots[slot]))
				distrust(&state->frames[i].slots[slot].spilled);
}

void section_transfer_kfunc(struct walk *walk, const struct kfunc *kfunc)
{
	struct sections *sections = &walk->state.resources.sections;

	switch (kfunc->row->special) {
	case KFUNC_RCU_READ_LOCK: sections->rcu++; break;
	case KFUNC_RCU_READ_UNLOCK: leave_rcu(walk); break;
	case KFUNC_PREEMPT_DISABLE: sections->preempt++; break;
	case KFUNC_PREEMPT_ENABLE: sections->preempt--; break;
	default: break;
	}
}
