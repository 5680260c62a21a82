/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of calls whose frames are too large together. */
#include "verify/explain.h"

static u32 frame_bytes(const struct subprog *subprog)
{
	u32 bytes = subprog->stack_depth ? subprog->stack_depth : 1;

	return (u32)round_up(bytes, FRAME_ROUND);
}

static u64 callees(const struct walk *walk, u32 index)
{
	const struct subprog *subprog = &walk->cfg.subprogs[index];
	u64 set = 0;
	s64 target;

	for (u32 at = subprog->start; at < subprog->end; at++) {
		s32 callee;

		if (!insn_is_subprog_call(&walk->insns[at], at, &target))
			continue;
		callee = cfg_subprog_at(&walk->cfg, (u32)target);
		if (callee >= 0 && callee < 64)
			set |= 1ull << callee;
	}
	return set;
}

/* The deepest chain of calls from this function on; *next: whom it calls in it, -1: nobody. */
static u32 deepest(const struct walk *walk, u32 index, u32 depth, s32 *next)
{
	u32 most = 0;

	*next = -1;
	for (u64 set = depth < CALL_DEPTH_MAX ? callees(walk, index) : 0; set; set &= set - 1) {
		u32 callee = (u32)__builtin_ctzll(set);
		s32 unused;
		u32 bytes = deepest(walk, callee, depth + 1, &unused);

		if (bytes <= most)
			continue;
		most = bytes;
		*next = (s32)callee;
	}
	return most + frame_bytes(&walk->cfg.subprogs[index]);
}

static void note_frame(struct explain *explain, const struct subprog *subprog)
{
	const char *name =
		subprog->name ? explain_text(explain, "%s()", subprog->name)
			      : explain_text(explain, "the function at %u", subprog->start);

	explain_note(explain, SKEP_STEP_FRAME, subprog->start,
		     explain_text(explain, "%s needs %u bytes of stack", name,
				  frame_bytes(subprog)));
	explain->position++;
}

void explain_stack(struct explain *explain)
{
	const struct walk *walk = explain->walk;
	u32 total, depth = 0;
	s32 next, at = 0;

	total = deepest(walk, 0, 0, &next);
	for (; at >= 0 && depth < CALL_DEPTH_MAX; at = next, depth++) {
		note_frame(explain, &walk->cfg.subprogs[at]);
		deepest(walk, (u32)at, depth, &next);
	}
	explain->out->face.needs =
		explain_text(explain, "the frames of a chain of calls have at most %d bytes",
			     STACK_DEPTH_MAX);
	explain->out->face.known = explain_text(explain, "%u bytes in %u frames", total, depth);
	explain->out->face.hint =
		"keep large buffers in a per-CPU array map, or in one frame only";
}
