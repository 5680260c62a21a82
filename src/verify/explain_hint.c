/* SPDX-License-Identifier: BSD-2-Clause */
/* What to do: where the path shows what went wrong, better than the row's hint. */
#include "verify/explain.h"

#include "isa/isa.h"

#include <string.h>

static bool is_call_of_packet_changer(const struct explain *explain, u32 insn)
{
	const struct bpf_insn *call = &explain->walk->insns[insn];
	const struct helper_row *row = helper_row((u32)call->imm);

	return call->code == (BPF_JMP | BPF_CALL) && call->src_reg == 0 && row &&
	       row->flags & HELPER_CHANGES_PACKET;
}

/* "line 17", else "instruction 4". */
static const char *place(struct explain *explain, u32 insn)
{
	struct skep_source source = explain_source(explain, insn);

	return source.file ? explain_text(explain, "line %u", source.line)
			   : explain_text(explain, "instruction %u", insn);
}

static const char *where(struct explain *explain, const struct skep_step *note)
{
	return place(explain, note->insn);
}

/* The last note of the kind, NULL: none. Notes are in the order of the path. */
static const struct skep_step *last_of(const struct explain *explain, enum skep_step_kind kind)
{
	for (u32 i = explain->note_cnt; i-- > 0;)
		if (explain->notes[i]->kind == kind)
			return explain->notes[i];
	return NULL;
}

/* --- a helper moved the packet --- */

static const char *hint_packet_moved(struct explain *explain)
{
	const struct skep_step *lost = last_of(explain, SKEP_STEP_LOST);

	if (!lost || !is_call_of_packet_changer(explain, lost->insn))
		return NULL;
	return explain_text(explain,
			    "behind %s (%s) read data and data_end from the context again, and "
			    "check them again",
			    callee_words(explain, lost->insn), where(explain, lost));
}

/* --- an object was given back --- */

static const char *hint_given_back(struct explain *explain)
{
	const struct skep_step *lost = last_of(explain, SKEP_STEP_LOST);

	if (!lost || explain->walk->failure.reason == REASON_not_initialised ||
	    explain->walk->insns[lost->insn].code != (BPF_JMP | BPF_CALL))
		return NULL;
	return explain_text(explain, "use it before %s (%s), which ends its life",
			    callee_words(explain, lost->insn), where(explain, lost));
}

/* --- packet: a range that no check can give --- */

static const char *hint_packet_variable(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;
	const struct reg_state *reg = state_reg(&explain->walk->state, need->reg);

	if (explain->walk->failure.reason != REASON_packet_range ||
	    (reg->kind != REG_PACKET && reg->kind != REG_PACKET_META) || reg->range ||
	    reg->number.umax + (u64)(u32)reg->off <= PACKET_REACH_MAX)
		return NULL;
	return "bound the number that was added to the pointer first: where it may be more than "
	       "65535, no comparison with data_end counts";
}

/* --- bounds --- */

static bool is_about_bounds(enum reason reason)
{
	switch ((u32)reason) {
	case REASON_map_value_range:
	case REASON_map_key_range:
	case REASON_memory_range:
	case REASON_unbounded_offset:
	case REASON_negative_offset:
	case REASON_math_unbounded:
	case REASON_math_out_of_bounds:
	case REASON_size_negative:
	case REASON_size_unbounded:
	case REASON_stack_range:
	case REASON_stack_unbounded:
	case REASON_stack_variable_range:
	case REASON_result_range:
	case REASON_result_unknown: return true;
	default: return false;
	}
}

/* The last check that left a number with these bounds, as the index of its note; note_cnt:
 * there is none. */
static u32 last_check(const struct explain *explain, enum bounds bounds)
{
	for (u32 i = explain->note_cnt; i-- > 0;)
		if (explain->notes[i]->kind == SKEP_STEP_NARROWED &&
		    explain->bounds[i] == bounds)
			return i;
	return explain->note_cnt;
}

static bool is_change(const struct skep_step *note)
{
	return note->kind == SKEP_STEP_CHANGED || note->kind == SKEP_STEP_LOST;
}

/* A check, and behind it a change that loses what it said. */
static const char *hint_checked_too_early(struct explain *explain)
{
	u32 check = last_check(explain, BOUNDS_BOTH);

	for (u32 i = check + 1; i < explain->note_cnt; i++) {
		const struct skep_step *note = explain->notes[i];

		if (!is_change(note) ||
		    (note->kind == SKEP_STEP_CHANGED && explain->bounds[i] == BOUNDS_BOTH) ||
		    explain->bounds[i] == BOUNDS_NO_NUMBER)
			continue;
		return explain_text(explain,
				    "the check (%s) comes before what undoes it (%s): check "
				    "the value that is used, after its last change",
				    where(explain, explain->notes[check]),
				    where(explain, note));
	}
	return NULL;
}

static const char *hint_no_lower_bound(struct explain *explain)
{
	u32 check = last_check(explain, BOUNDS_UPPER);

	if (check >= explain->note_cnt)
		return NULL;
	return explain_text(explain,
			    "the check (%s) lets negative numbers through: make the variable "
			    "unsigned, or check for >= 0, too",
			    where(explain, explain->notes[check]));
}

static const struct scalar *bounded_number(const struct explain *explain)
{
	const struct failure *failure = &explain->walk->failure;
	const struct bpf_insn *insn = walk_insn(explain->walk);
	u32 reg = failure->need.reg;

	if (failure->need.kind == NEED_OPERANDS && BPF_SRC(insn->code) == BPF_X &&
	    reg_is_pointer(state_reg(&explain->walk->state, reg)))
		reg = insn->src_reg;
	return &state_reg(&explain->walk->state, reg)->number;
}

static const char *hint_half_checked(struct explain *explain)
{
	const struct scalar *number = bounded_number(explain);

	if (number->umax < POINTER_OFFSET_LIMIT || number->umax32 >= POINTER_OFFSET_LIMIT)
		return NULL;
	return "the check looks at the low 32 bits only and 64 are used: make the variable as "
	       "wide as the check (u32), or the check as wide as the variable (u64)";
}

static bool loads_same(const struct bpf_insn *a, const struct bpf_insn *b)
{
	return a->code == b->code && a->src_reg == b->src_reg && a->off == b->off;
}

/* The value was loaded, and the same bytes on an earlier line, where a check followed. */
static const char *hint_loaded_twice(struct explain *explain)
{
	const struct skep_step *born = last_of(explain, SKEP_STEP_BORN);
	const struct walk *walk = explain->walk;
	u32 position;

	if (!born || last_check(explain, BOUNDS_BOTH) < explain->note_cnt ||
	    BPF_CLASS(walk->insns[born->insn].code) != BPF_LDX ||
	    !explain_find_step(explain, born->insn, &position))
		return NULL;
	while (position-- > 0) {
		u32 at = path_step_at(walk, explain->slice.first + position).insn;

		if (at == born->insn || !loads_same(&walk->insns[at], &walk->insns[born->insn]))
			continue;
		return explain_text(
			explain,
			"the value is read from memory twice (%s, %s): a check of "
			"one copy says nothing of the other; read it once into a "
			"variable (barrier_var() keeps the compiler from reading it "
			"again)",
			place(explain, at), where(explain, born));
	}
	return NULL;
}

/* The last byte that may be touched lies just behind the object. */
static const char *hint_off_by_one(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;
	const struct reg_state *reg = state_reg(&explain->walk->state, need->reg);
	s64 end = (s64)reg->off + need->off + need->size;

	if (explain->walk->failure.reason != REASON_map_value_range ||
	    need->kind != NEED_MEMORY || reg->kind != REG_MAP_VALUE ||
	    scalar_is_const(&reg->number) || reg->number.umax > INT32_MAX ||
	    end + (s64)reg->number.umax != (s64)reg->map->value_size + need->size)
		return NULL;
	return "the largest index is just one too large: the bound is < the number of elements, "
	       "not <= it";
}

static const char *hint_size(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;

	if (need->kind != NEED_ARGUMENT ||
	    explain->walk->failure.reason == REASON_size_negative)
		return NULL;
	return "compare the size with that of the buffer before the call";
}

static const char *hint_bounds(struct explain *explain)
{
	const char *hint = hint_half_checked(explain);

	hint = hint ? hint : hint_checked_too_early(explain);
	hint = hint ? hint : hint_no_lower_bound(explain);
	hint = hint ? hint : hint_loaded_twice(explain);
	hint = hint ? hint : hint_off_by_one(explain);
	return hint ? hint : hint_size(explain);
}

static const char *hint_null(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;

	if (explain->walk->failure.reason != REASON_bad_pointer ||
	    !reg_may_be_null(state_reg(&explain->walk->state, need->reg)))
		return NULL;
	return "compare the pointer with NULL and leave before it is used";
}

static const char *hint_by_path(struct explain *explain)
{
	const char *hint;

	if (!explain->walk->failure.has_need)
		return NULL;
	hint = hint_packet_moved(explain);
	hint = hint ? hint : hint_given_back(explain);
	if (hint || explain->walk->failure.need.reg >= MAX_BPF_REG)
		return hint;
	hint = hint_null(explain);
	hint = hint ? hint : hint_packet_variable(explain);
	if (!hint && is_about_bounds(explain->walk->failure.reason))
		hint = hint_bounds(explain);
	return hint;
}

void explain_hint(struct explain *explain)
{
	const char *hint = hint_by_path(explain);

	if (!explain->out->face.hint)
		explain->out->face.hint = hint;
	if (!explain->out->face.hint && explain->walk->failure.reason != REASONS)
		explain->out->face.hint = reason_row(explain->walk->failure.reason)->hint;
}
