/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each subprogram may do, found in its text: dead code counts, as it does for Linux. The
 * functions that it calls, or gives the address of, count as its own.
 */
#include "catalog/helper.h"
#include "verify/global.h"
#include "verify/kfunc.h"
#include "verify/liveness.h"

enum effect {
	EFFECT_CHANGES_PACKET = 1 << 0, /* pointers into the packet are void behind the call */
	EFFECT_SLEEPS = 1 << 1,
};

static u8 kfunc_effects(const struct kfunc *kfunc)
{
	u8 effects = 0;

	if (!kfunc->row)
		return 0;
	if (kfunc->row->special == KFUNC_XDP_PULL_DATA)
		effects |= EFFECT_CHANGES_PACKET;
	if (kfunc_has_flag(kfunc, KF_SLEEPABLE))
		effects |= EFFECT_SLEEPS;
	return effects;
}

static u8 helper_effects(const struct helper_row *helper)
{
	u8 effects = 0;

	if (helper->flags & HELPER_CHANGES_PACKET)
		effects |= EFFECT_CHANGES_PACKET;
	if (helper->flags & HELPER_SLEEPS)
		effects |= EFFECT_SLEEPS;
	return effects;
}

static u8 insn_effects(const struct walk *walk, u32 at)
{
	const struct helper_row *helper;
	const struct kfunc *kfunc;

	helper = insn_helper(&walk->insns[at]);
	kfunc = insn_fact_kfunc(&walk->out->facts[at]);
	if (kfunc)
		return kfunc_effects(kfunc);
	return helper ? helper_effects(helper) : 0;
}

/* Adds the callees' effects to their callers'. False: nothing was new. */
static bool spread(const struct walk *walk, u8 *effects)
{
	bool changed = false;

	for (u32 i = 0; i < walk->cfg.call_cnt; i++) {
		u32 at = walk->cfg.calls[i];
		s32 callee = walk->out->facts[at].callee;
		u8 *caller = &effects[walk->cfg.subprog_of[at]];

		if (callee < 0 || !(effects[callee] & ~*caller))
			continue;
		*caller |= effects[callee];
		changed = true;
	}
	return changed;
}

int effects_compute(struct walk *walk)
{
	u8 *effects = arena_array(&walk->scratch, walk->cfg.subprog_cnt, sizeof(*effects));

	if (!effects)
		return -ENOMEM;
	for (u32 i = 0; i < walk->cfg.call_cnt; i++) {
		u32 at = walk->cfg.calls[i];

		effects[walk->cfg.subprog_of[at]] |= insn_effects(walk, at);
	}
	while (spread(walk, effects))
		;
	for (u32 i = 0; i < walk->cfg.subprog_cnt; i++) {
		walk->cfg.subprogs[i].changes_packet = effects[i] & EFFECT_CHANGES_PACKET;
		walk->cfg.subprogs[i].sleeps = effects[i] & EFFECT_SLEEPS;
	}
	return 0;
}
