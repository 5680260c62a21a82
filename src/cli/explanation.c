/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/explanation.h"

#include "catalog/uapi.h"
#include "cli/excerpt.h"

#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More would not be read; JSON has them all. */
#define NOTES_SHOWN 8

/* --- the list --- */

void explanations_done(struct explanations *explanations)
{
	for (u32 i = 0; i < explanations->count; i++)
		skep_explanation_free(explanations->all[i]);
	free(explanations->all);
	*explanations = (struct explanations){0};
}

static bool grow(struct explanations *explanations)
{
	u32 capacity = explanations->capacity ? explanations->capacity * 2 : 16;
	void *bigger;

	if (explanations->count < explanations->capacity)
		return true;
	bigger = realloc(explanations->all, capacity * sizeof(*explanations->all));
	if (!bigger)
		return false;
	explanations->all = bigger;
	explanations->capacity = capacity;
	return true;
}

/* libbpf loads a program once more, for its log, when it was rejected. */
static bool replace(struct explanations *explanations, struct skep_explanation *explanation)
{
	for (u32 i = 0; i < explanations->count; i++) {
		if (strcmp(explanations->all[i]->program, explanation->program))
			continue;
		skep_explanation_free(explanations->all[i]);
		explanations->all[i] = explanation;
		return true;
	}
	return false;
}

void explanations_add(struct explanations *explanations, struct skep_explanation *explanation)
{
	explanations->rejected = NULL;
	if (!replace(explanations, explanation)) {
		if (!grow(explanations)) {
			skep_explanation_free(explanation);
			return;
		}
		explanations->all[explanations->count++] = explanation;
	}
	if (explanation->code)
		explanations->rejected = explanation;
}

const struct skep_explanation *explanations_find(const struct explanations *explanations,
						 const char *program)
{
	for (u32 i = 0; i < explanations->count; i++)
		if (!strncmp(explanations->all[i]->program, program, BPF_OBJ_NAME_LEN - 1))
			return explanations->all[i];
	return NULL;
}

/* --- text --- */

static bool is_same_line(const struct skep_source *a, const struct skep_source *b)
{
	return a->file && b->file && a->line == b->line && a->column == b->column &&
	       !strcmp(a->file, b->file);
}

static int number_width(const struct skep_explanation *explanation)
{
	int width = excerpt_number_width(explanation->source.line);

	for (u32 i = 0; i < explanation->step_count; i++)
		width = max(width, excerpt_number_width(explanation->steps[i]->source.line));
	return width + 1;
}

static void print_place(const struct skep_explanation *explanation, int width)
{
	const struct skep_source *source = &explanation->source;
	const char *frame = color(COLOR_FRAME), *plain = color(COLOR_NONE);

	if (!source->file)
		return;
	fprintf(stderr, "%s%*s-->%s %s:%u", frame, width, "", plain,
		relative_name(source->file), source->line);
	fprintf(stderr, source->column ? ":%u\n" : "\n", source->column);
	if (source->text && *source->text)
		excerpt_print(source, width, COLOR_ERROR, "");
}

static void print_note(const struct skep_explanation *explanation, const struct skep_step *step,
		       const struct skep_source *shown, int width)
{
	const char *note = color(COLOR_NOTE), *plain = color(COLOR_NONE);

	if (!step->source.file) {
		fprintf(stderr, "%snote:%s instruction %u: %s\n", note, plain, step->insn,
			step->text);
		return;
	}
	fprintf(stderr, "%snote:%s %s\n", note, plain, step->text);
	if (is_same_line(&step->source, shown))
		return;
	if (explanation->source.file && strcmp(step->source.file, explanation->source.file))
		fprintf(stderr, "%s%*s-->%s %s:%u\n", color(COLOR_FRAME), width, "", plain,
			relative_name(step->source.file), step->source.line);
	excerpt_print(&step->source, width, COLOR_NOTE, "");
}

static u32 count_notes(const struct skep_explanation *explanation, bool with_moves)
{
	u32 count = 0;

	for (u32 i = 0; i < explanation->step_count; i++)
		count += with_moves || explanation->steps[i]->kind != SKEP_STEP_MOVED;
	return count;
}

/* Moves from one register to another are shown where there is room. */
static void print_notes(const struct skep_explanation *explanation, int width)
{
	const struct skep_source *shown = &explanation->source;
	bool with_moves = count_notes(explanation, true) <= NOTES_SHOWN;
	u32 left = count_notes(explanation, with_moves);

	if (left > NOTES_SHOWN)
		fprintf(stderr, "%snote:%s (%u earlier steps are in the JSON)\n",
			color(COLOR_NOTE), color(COLOR_NONE), left - NOTES_SHOWN);
	for (u32 i = 0; i < explanation->step_count; i++) {
		const struct skep_step *step = explanation->steps[i];

		if ((step->kind == SKEP_STEP_MOVED && !with_moves) || left-- > NOTES_SHOWN)
			continue;
		if (step->kind == SKEP_STEP_MOVED)
			shown = &step->source; /* the text says it all */
		print_note(explanation, step, shown, width);
		shown = &step->source;
	}
}

static void print_line(const char *name, const char *text, enum color which, int width)
{
	if (text)
		fprintf(stderr, "%s%*s =%s %s%s:%s %s\n", color(COLOR_FRAME), width, "",
			color(COLOR_NONE), color(which), name, color(COLOR_NONE), text);
}

void explanation_print(const struct skep_explanation *explanation)
{
	int width = number_width(explanation);

	print_place(explanation, width);
	print_notes(explanation, width);
	print_line("needs", explanation->needs, COLOR_ERROR, width);
	print_line("known", explanation->known, COLOR_ERROR, width);
	print_line("hint", explanation->hint, COLOR_HELP, width);
	print_line("reason", explanation->reason, COLOR_NONE, width);
}

/* --- JSON --- */

void source_print_json(const struct skep_source *source, const char *name, struct json *json)
{
	if (!source->file)
		return;
	json_object(json, name);
	json_string(json, "file", relative_name(source->file));
	json_uint(json, "line", source->line);
	if (source->column)
		json_uint(json, "column", source->column);
	json_string(json, "text", source->text ?: "");
	json_object_end(json);
}

static void string_json(struct json *json, const char *name, const char *value)
{
	if (value)
		json_string(json, name, value);
}

static const char *const kind_names[] = {
	[SKEP_STEP_BORN] = "born",	 [SKEP_STEP_MOVED] = "moved",
	[SKEP_STEP_CHANGED] = "changed", [SKEP_STEP_NARROWED] = "narrowed",
	[SKEP_STEP_LOST] = "lost",	 [SKEP_STEP_BRANCH] = "branch",
	[SKEP_STEP_ROUND] = "round",	 [SKEP_STEP_FRAME] = "frame",
};

static void step_json(const struct skep_step *step, struct json *json)
{
	json_object(json, NULL);
	json_string(json, "kind", kind_names[step->kind]);
	json_uint(json, "insn", step->insn);
	string_json(json, "place", step->place);
	string_json(json, "text", step->text);
	string_json(json, "before", step->before);
	string_json(json, "after", step->after);
	source_print_json(&step->source, "source", json);
	json_object_end(json);
}

void explanation_print_json(const struct skep_explanation *explanation, struct json *json)
{
	json_int(json, "errno", -explanation->code);
	string_json(json, "instruction", explanation->insn_text);
	source_print_json(&explanation->source, "source", json);
	string_json(json, "needs", explanation->needs);
	string_json(json, "known", explanation->known);
	json_array(json, "steps");
	for (u32 i = 0; i < explanation->step_count; i++)
		step_json(explanation->steps[i], json);
	json_array_end(json);
	json_bool(json, "is_cut", explanation->is_cut);
}
