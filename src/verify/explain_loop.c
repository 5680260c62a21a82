/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that are rejected because they are walked for too long: the loop that the path went
 * round, the conditions that could have ended it, and what they saw in the last rounds.
 */
#include "verify/explain.h"

#include "verify/line.h"

#include <string.h>

#define ROUNDS_SHOWN   3
#define CONDITIONS_MAX 4
#define LINES_SHOWN    3

/* The loop, as positions of the slice. */
struct rounds {
	u32 head;  /* instruction */
	u32 count; /* rounds on the whole path */
	u32 start[ROUNDS_SHOWN +
		  1]; /* of the last rounds, newest first; the end of the newest */
	u32 shown;
};

bool explain_is_loop(const struct walk *walk)
{
	return walk->failure.reason == REASON_infinite_loop ||
	       walk->failure.reason == REASON_too_complex;
}

static u32 insn_at(const struct explain *explain, u32 position)
{
	return path_step_at(explain->walk, explain->slice.first + position).insn;
}

/* The head of a loop that the path met most often; the innermost, so that its rounds are near
 * one another. */
static u32 busiest_head(const struct explain *explain, u32 *rounds)
{
	const struct walk *walk = explain->walk;
	u32 *counts = arena_array(&explain->walk->scratch, walk->insn_cnt, sizeof(*counts));
	u32 head = 0, most = 0;

	*rounds = 0;
	if (!counts)
		return 0;
	for (u32 i = 0; i < explain->slice.count; i++)
		counts[insn_at(explain, i)]++;
	for (u32 i = 0; i < walk->insn_cnt; i++)
		if (walk->cfg.flags[i] & CFG_LOOP_HEAD && counts[i] > most) {
			most = counts[i];
			head = i;
		}
	*rounds = most;
	return head;
}

static u32 count_on_path(const struct explain *explain, u32 insn)
{
	u32 count = 0;

	for (u32 i = 0; i < path_length(explain->walk); i++)
		count += path_step_at(explain->walk, i).insn == insn;
	return count;
}

static void find_rounds(const struct explain *explain, struct rounds *out)
{
	const struct walk *walk = explain->walk;
	u32 on_slice;

	memset(out, 0, sizeof(*out));
	out->head = walk->failure.reason == REASON_infinite_loop
			    ? walk->at
			    : busiest_head(explain, &on_slice);
	out->count = count_on_path(explain, out->head);
	if (walk->failure.reason != REASON_infinite_loop && out->count < 2) {
		out->count = 0;
		return;
	}
	out->start[0] = explain->slice.count;
	for (u32 i = explain->slice.count; i-- > 0 && out->shown < ROUNDS_SHOWN;)
		if (insn_at(explain, i) == out->head)
			out->start[++out->shown] = i;
}

/* --- conditions --- */

static bool is_in_round(const struct explain *explain, const struct rounds *rounds, u32 insn)
{
	for (u32 i = rounds->start[1]; i < rounds->start[0]; i++)
		if (insn_at(explain, i) == insn)
			return true;
	return false;
}

/* One way of the jump leads out of what the last round walked over. */
static bool could_leave(const struct explain *explain, const struct rounds *rounds, u32 insn)
{
	const struct bpf_insn *jump = &explain->walk->insns[insn];
	u32 target = insn + 1 + (u32)(s32)jump->off;

	return explain_is_conditional(jump) && (!is_in_round(explain, rounds, insn + 1) ||
						!is_in_round(explain, rounds, target));
}

static void add_operands(struct explain *explain, u32 position)
{
	struct path_step step =
		path_step_at(explain->walk, explain->slice.first + position);
	const struct bpf_insn *jump = &explain->walk->insns[step.insn];
	u16 *regs = &explain->slice.before[position].regs[step.depth - 1];

	*regs |= 1u << jump->dst_reg;
	if (BPF_SRC(jump->code) == BPF_X)
		*regs |= 1u << jump->src_reg;
}

void explain_loop_subjects(struct explain *explain)
{
	struct rounds rounds;

	find_rounds(explain, &rounds);
	if (!rounds.shown)
		return;
	for (u32 i = rounds.start[rounds.shown]; i < rounds.start[0]; i++)
		if (could_leave(explain, &rounds, insn_at(explain, i)))
			add_operands(explain, i);
}

/* The register at the condition `insn` in a round, 1: the last. NULL: it was not there. */
static const struct stack_slot *operand(const struct explain *explain,
					const struct rounds *rounds, u32 round, u32 insn,
					u32 reg)
{
	for (u32 i = rounds->start[round]; i < rounds->start[round - 1]; i++) {
		struct path_step step =
			path_step_at(explain->walk, explain->slice.first + i);
		struct value_place place = {.frame = (u8)(step.depth - 1), .index = (u8)reg};

		if (step.insn == insn)
			return watch_value(explain->watch, i, place);
	}
	return NULL;
}

/* "r6: 3, 4, 5", oldest first, or once when all rounds agree. */
static void add_rounds(const struct explain *explain, const struct rounds *rounds, u32 insn,
		       u32 reg, struct strbuf *out)
{
	struct strbuf each[ROUNDS_SHOWN];
	u32 count = 0;
	bool differ = false;

	for (u32 round = rounds->shown; round > 0; round--) {
		const struct stack_slot *value = operand(explain, rounds, round, insn, reg);

		if (!value)
			continue;
		strbuf_init(&each[count]);
		value_words(&value->spilled, &each[count]);
		differ |= strcmp(strbuf_text(&each[count]), strbuf_text(&each[0])) != 0;
		count++;
	}
	strbuf_addf(out, "r%u is ", reg);
	for (u32 i = 0; i < count; i++) {
		if (!i || differ)
			strbuf_addf(out, "%s%s", i ? ", then " : "", strbuf_text(&each[i]));
		strbuf_done(&each[i]);
	}
	if (!count)
		strbuf_adds(out, "not known");
	else if (!differ && count > 1)
		strbuf_adds(out, " in every round");
}

static void note_condition(struct explain *explain, const struct rounds *rounds, u32 insn)
{
	const struct bpf_insn *jump = &explain->walk->insns[insn];
	struct strbuf text;

	strbuf_init(&text);
	strbuf_adds(&text, "the loop could end here: ");
	add_rounds(explain, rounds, insn, jump->dst_reg, &text);
	if (BPF_SRC(jump->code) == BPF_X) {
		strbuf_adds(&text, "; ");
		add_rounds(explain, rounds, insn, jump->src_reg, &text);
	}
	explain_note(explain, SKEP_STEP_ROUND, insn, explain_keep(explain, &text));
}

static void note_head(struct explain *explain, const struct rounds *rounds)
{
	explain->position = rounds->start[rounds->shown ? 1 : 0];
	explain_note(explain, SKEP_STEP_ROUND, rounds->head,
		     explain_text(explain,
				  "the loop begins here, at instruction %u: %u round%s "
				  "on this path",
				  rounds->head, rounds->count, rounds->count == 1 ? "" : "s"));
}

static u32 note_conditions(struct explain *explain, const struct rounds *rounds)
{
	u32 seen[CONDITIONS_MAX], count = 0;

	for (u32 i = rounds->start[1]; i < rounds->start[0] && count < CONDITIONS_MAX; i++) {
		u32 insn = insn_at(explain, i);
		bool is_new = true;

		for (u32 j = 0; j < count; j++)
			is_new &= seen[j] != insn;
		if (!is_new || !could_leave(explain, rounds, insn))
			continue;
		explain->position = i;
		note_condition(explain, rounds, insn);
		seen[count++] = insn;
	}
	return count;
}

/* --- requirement and hint --- */

static void say_infinite(struct explain *explain, u32 conditions)
{
	struct skep_explanation *face = &explain->out->face;

	face->needs = "something changes from round to round that ends the loop";
	face->known =
		explain_text(explain, "at instruction %u all that is known is the same again",
			     explain->walk->at);
	face->hint = conditions ? "change what a condition of the loop looks at in every round"
				: "no condition leads out of this loop: give it one";
}

/* Where the paths multiplied: the lines that were looked at most often. */
static void note_dearest(struct explain *explain)
{
	const struct skep_explanation *face = &explain->out->face;

	for (u32 i = 0; i < face->line_count && i < LINES_SHOWN; i++) {
		explain->position = i;
		explain_note(explain, SKEP_STEP_ROUND, face->lines[i]->insn,
			     explain_text(explain,
					  "%llu instructions were looked at for this "
					  "line",
					  (unsigned long long)face->lines[i]->processed));
	}
}

static void say_complex(struct explain *explain, const struct rounds *rounds)
{
	struct skep_explanation *face = &explain->out->face;

	face->needs = explain_text(explain, "all paths together have at most %d instructions",
				   INSNS_PROCESSED_MAX);
	if (rounds->count) {
		face->known = explain_text(
			explain, "after %u rounds of one loop nothing says that it ends",
			rounds->count);
		face->hint =
			"give the loop a constant bound (for (i = 0; i < MAX && ...; i++)), "
			"or use bpf_loop() or an iterator for many rounds";
		return;
	}
	note_dearest(explain);
	face->known = explain_text(explain, "%llu were looked at, and more paths wait",
				   explain->walk->insns_processed);
	face->hint =
		"make parts of the program where paths multiply functions that are neither "
		"inlined nor static (__noinline): they are verified once";
}

void explain_loop(struct explain *explain)
{
	u32 conditions = 0;
	struct rounds rounds;

	find_rounds(explain, &rounds);
	if (rounds.shown) {
		note_head(explain, &rounds);
		conditions = note_conditions(explain, &rounds);
	}
	if (explain->walk->failure.reason == REASON_infinite_loop)
		say_infinite(explain, conditions);
	else
		say_complex(explain, &rounds);
}
