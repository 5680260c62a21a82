/* SPDX-License-Identifier: BSD-2-Clause */
/* The way that the path took: its jumps, where no value tells more. */
#include "verify/explain.h"

#define BRANCHES_MAX 4

bool explain_is_conditional(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_JA && op != BPF_CALL &&
	       op != BPF_EXIT && op != BPF_JCOND;
}

bool explain_find_step(const struct explain *explain, u32 insn, u32 *position)
{
	const struct slice *slice = &explain->slice;

	for (u32 i = slice->count; i-- > 0;) {
		if (path_step_at(explain->walk, slice->first + i).insn != insn)
			continue;
		*position = i;
		return true;
	}
	return false;
}

/* Where the path is next that is not the line of the jump before `position`. */
static const char *way_words(struct explain *explain, u32 position)
{
	const struct slice *slice = &explain->slice;
	u32 jump = path_step_at(explain->walk, slice->first + position - 1).insn;
	struct skep_source source = explain_source(explain, jump);

	for (u32 i = position; source.file && i < slice->count; i++) {
		u32 insn = path_step_at(explain->walk, slice->first + i).insn;
		struct skep_source target = explain_source(explain, insn);

		if (target.file && target.line != source.line)
			return explain_text(explain, "from here the path goes on to line %u",
					    target.line);
	}
	return explain_text(explain, "from here the path goes on to instruction %u",
			    path_step_at(explain->walk, slice->first + position).insn);
}

void explain_branches(struct explain *explain, u32 from)
{
	const struct slice *slice = &explain->slice;
	u32 count = 0;

	for (u32 i = slice->count; i-- > from + 1 && count < BRANCHES_MAX;) {
		u32 at = path_step_at(explain->walk, slice->first + i - 1).insn;

		if (!explain_is_conditional(&explain->walk->insns[at]))
			continue;
		explain->position = i - 1;
		explain_note(explain, SKEP_STEP_BRANCH, at, way_words(explain, i));
		count++;
	}
}
