/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops of unknown length (may_goto, helpers that call back, iterators), and from where they
 * can still be reached.
 */
#include "verify/cfg.h"

#include <errno.h>

/* Global functions are walked on their own. */
static bool calls_open(const struct cfg *cfg, u32 at, const bool *is_open)
{
	s64 target;
	u32 callee;

	if (!insn_is_subprog_call(&cfg->insns[at], at, &target))
		return false;
	callee = (u32)cfg_subprog_at(cfg, (u32)target);
	return is_open[callee] && !cfg->subprogs[callee].is_global;
}

static bool is_open_here(const struct cfg *cfg, u32 at, const bool *is_open)
{
	return cfg->flags[at] & CFG_FORCE_CHECKPOINT || calls_open(cfg, at, is_open);
}

/* Which subprograms have such a loop, themselves or below. False: none. */
static bool find_open(const struct cfg *cfg, bool *is_open)
{
	bool changed, any = false;

	do {
		changed = false;
		for (u32 at = 0; at < cfg->insn_cnt; at++) {
			bool *own = &is_open[cfg->subprog_of[at]];

			if (*own || !is_open_here(cfg, at, is_open))
				continue;
			*own = changed = any = true;
		}
	} while (changed);
	return any;
}

static bool leads_to_open(const struct cfg *cfg, u32 at, const bool *is_open)
{
	u32 successors[2], count = cfg_successors(cfg, at, successors);
	bool leads = is_open_here(cfg, at, is_open);

	for (u32 i = 0; i < count; i++)
		leads |= (cfg->flags[successors[i]] & CFG_LEADS_TO_OPEN) != 0;
	return leads;
}

static void mark(struct cfg *cfg, u32 subprog, const bool *is_open)
{
	bool changed;

	do {
		changed = false;
		for (u32 i = cfg->postorder_start[subprog];
		     i < cfg->postorder_start[subprog + 1]; i++) {
			u8 *flags = &cfg->flags[cfg->postorder[i]];

			if (*flags & CFG_LEADS_TO_OPEN ||
			    !leads_to_open(cfg, cfg->postorder[i], is_open))
				continue;
			*flags |= CFG_LEADS_TO_OPEN;
			changed = true;
		}
	} while (changed);
}

int cfg_mark_open(struct cfg *cfg, struct arena *arena, bool *any)
{
	bool *is_open = arena_array(arena, cfg->subprog_cnt, sizeof(*is_open));

	if (!is_open)
		return -ENOMEM;
	*any = find_open(cfg, is_open);
	for (u32 i = 0; *any && i < cfg->subprog_cnt; i++)
		if (is_open[i])
			mark(cfg, i, is_open);
	return 0;
}
