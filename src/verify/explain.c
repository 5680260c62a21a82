/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/explain.h"

#include "base/error.h"
#include "isa/isa.h"
#include "verify/line.h"

#include <stdlib.h>
#include <string.h>

/* --- the second walk --- */

/* The same walk once more, and quietly: what it sees along the slice is in `watch`. False: it
 * did not come to the same verdict, which only a lack of memory explains. */
static bool walk_again(struct explain *explain, struct watch *watch, int code)
{
	struct verify_input input = *explain->walk->input;
	struct skep_error unused;
	struct walk *again;
	int ret;

	input.log = NULL;
	input.log_level = 0;
	input.explanation = NULL;
	error_clear(&unused);
	if (watch_slice(watch, &explain->slice, &explain->walk->scratch))
		return false;
	again = walk_new(&input, &unused);
	if (!again)
		return false;
	again->is_patient = explain->walk->is_patient;
	again->watch = watch;
	ret = walk_run(again);
	verified_free(again->out);
	walk_free(again);
	explain->watch = watch;
	return ret == code;
}

/* --- steps --- */

static bool reaches_out(enum reason reason)
{
	return reason == REASON_not_initialised || reason == REASON_unreleased ||
	       reason == REASON_stack_read_unwritten || reason == REASON_stack_indirect_read ||
	       reason == REASON_lock_held;
}

/* What was taken and never given back, and the way from there. */
static void tell_reference(struct explain *explain)
{
	const struct resource *reference = state_reference(&explain->walk->state);
	u32 insn = reference ? reference->insn : 0, position;

	if (!reference || !explain_find_step(explain, insn, &position))
		return;
	explain->position = position;
	explain_note(explain, SKEP_STEP_BORN, insn,
		     explain_text(explain, "%s acquires a reference, which must be released",
				  callee_words(explain, insn)));
	explain_branches(explain, position);
}

static void tell_path(struct explain *explain)
{
	enum reason reason = explain->walk->failure.reason;

	if (explain_is_loop(explain->walk)) {
		explain_loop(explain);
		return;
	}
	explain_steps(explain);
	if (reason == REASON_unreleased)
		tell_reference(explain);
	else if (reaches_out(reason))
		explain_branches(explain, 0);
}

/* In the order of the path; steps were added from its end. */
static void sort_notes(struct explain *explain)
{
	for (u32 i = 1; i < explain->note_cnt; i++) {
		struct skep_step *note = explain->notes[i];
		u32 position = explain->positions[i], at = i;
		u8 bounds = explain->bounds[i];

		for (; at && explain->positions[at - 1] > position; at--) {
			explain->notes[at] = explain->notes[at - 1];
			explain->positions[at] = explain->positions[at - 1];
			explain->bounds[at] = explain->bounds[at - 1];
		}
		explain->notes[at] = note;
		explain->positions[at] = position;
		explain->bounds[at] = bounds;
	}
}

static void keep_notes(struct explain *explain)
{
	struct skep_explanation *face = &explain->out->face;

	sort_notes(explain);
	face->steps = arena_copy(&explain->out->arena, explain->notes, sizeof(explain->notes));
	face->step_count = face->steps ? explain->note_cnt : 0;
}

static void find_subjects(struct explain *explain)
{
	struct slice *slice = &explain->slice;

	if (explain_is_loop(explain->walk)) {
		explain_loop_subjects(explain);
		return;
	}
	if (!slice->count)
		return;
	explain_subjects(explain->walk, &slice->before[slice->count - 1]);
	flow_follow(explain->walk, slice);
}

/* No register's story matters: nothing need be watched. */
static bool is_empty(const struct slice *slice)
{
	for (u32 i = 0; i < slice->count; i++) {
		struct place_cursor cursor = {0};
		struct value_place place;

		if (flow_next_place(&slice->before[i], &cursor, &place))
			return false;
	}
	return true;
}

static void explain_path(struct explain *explain, int code)
{
	struct watch watch = {0};

	if (flow_slice(explain->walk, EXPLAIN_STEPS_MAX, &explain->slice))
		return;
	find_subjects(explain);
	if (!is_empty(&explain->slice) && !walk_again(explain, &watch, code))
		return;
	tell_path(explain);
	keep_notes(explain);
	explain->watch = NULL;
}

/* --- the verdict --- */

static const char *copy_text(struct explain *explain, const char *text)
{
	return text && *text ? arena_string(&explain->out->arena, text) : NULL;
}

static const char *insn_text(struct explain *explain, u32 insn)
{
	const struct walk *walk = explain->walk;
	const char *callee = callee_words(explain, insn);
	struct strbuf text;

	if (walk->insns[insn].code == (BPF_JMP | BPF_CALL) && callee != unknown_callee)
		return explain_text(explain, "call %s", callee);
	strbuf_init(&text);
	insn_print(walk->insns, walk->insn_cnt, insn, INSN_SYNTAX_LLVM, NULL, &text);
	return explain_keep(explain, &text);
}

static void explain_verdict_itself(struct explain *explain, int code)
{
	const struct walk *walk = explain->walk;
	const struct skep_error *err = walk->err;
	struct skep_explanation *face = &explain->out->face;

	face->program =
		arena_string(&explain->out->arena, walk->input->name ? walk->input->name : "");
	face->code = code;
	face->insn = -1;
	if (!code)
		return;
	face->reason = err->reason;
	face->message = copy_text(explain, err->text);
	face->insn = err->insn;
	if (err->insn < 0 || (u32)err->insn >= walk->insn_cnt || !walk->insns)
		return;
	face->insn_text = insn_text(explain, (u32)err->insn);
	face->source = explain_source(explain, (u32)err->insn);
}

/* The rejection came from an instruction that was walked over. What is wrong where only
 * speculation leads is a failure, but no rejection. */
static bool was_walking(const struct walk *walk)
{
	return walk->path && walk->failure.reason != REASONS &&
	       walk->err->reason == reason_row(walk->failure.reason)->id;
}

struct explanation *explain_verdict(struct walk *walk, int code)
{
	struct explanation *out = calloc(1, sizeof(*out));
	struct explain *explain = calloc(1, sizeof(*explain));

	if (!out || !explain) {
		free(out);
		free(explain);
		return NULL;
	}
	arena_init(&out->arena);
	*explain = (struct explain){.walk = walk, .out = out};
	explain_verdict_itself(explain, code);
	explain_cost(explain);
	if (code && was_walking(walk)) {
		explain_need(explain);
		explain_path(explain, code);
		explain_hint(explain);
	} else if (code) {
		out->face.hint = copy_text(explain, walk->err->hint);
		if (walk->err->reason == reason_row(REASON_stack_depth)->id)
			explain_stack(explain);
		keep_notes(explain);
	}
	free(explain);
	return out;
}

struct skep_explanation *explanation_face(struct explanation *explanation)
{
	return &explanation->face;
}

struct explanation *explanation_of_face(struct skep_explanation *face)
{
	return container_of(face, struct explanation, face);
}

void explanation_free(struct explanation *explanation)
{
	if (!explanation)
		return;
	arena_done(&explanation->arena);
	free(explanation);
}
