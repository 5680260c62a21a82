/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values seen along the slice, as notes: the path is gone backwards once more, now with
 * what each place held before and behind each step.
 */
#include "verify/explain.h"

#include "isa/isa.h"

#include <stdio.h>
#include <string.h>

/* One place over one step of the path. */
struct passage {
	u32 position; /* of the slice */
	struct path_step step;
	const struct bpf_insn *insn;
	struct value_place place;
	struct origin origin;
	const struct stack_slot *before; /* what `origin` says it comes from; NULL: nothing */
	const struct stack_slot *after;
	const char *name; /* "r1", "fp-16" */
};

/* --- values --- */

static bool has_register(const struct value_place *place, const struct stack_slot *value)
{
	return !place->is_slot || slot_is_full_spill(value);
}

static bool regs_are_same(const struct reg_state *a, const struct reg_state *b)
{
	if (a->kind != b->kind || a->flags != b->flags)
		return false;
	if (a->kind == REG_NOT_INIT)
		return true;
	if (memcmp(&a->number, &b->number, sizeof(a->number)))
		return false;
	return a->kind == REG_SCALAR ||
	       (a->off == b->off && a->word == b->word && a->range == b->range);
}

static bool is_same_value(const struct value_place *place, const struct stack_slot *a,
			  const struct stack_slot *b)
{
	if (has_register(place, a) != has_register(place, b))
		return false;
	if (has_register(place, a))
		return regs_are_same(&a->spilled, &b->spilled);
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static const char *words(struct explain *explain, const struct value_place *place,
			 const struct stack_slot *value)
{
	struct strbuf text;

	strbuf_init(&text);
	if (place->is_slot)
		slot_words(value, &text);
	else
		value_words(&value->spilled, &text);
	return explain_keep(explain, &text);
}

static const char *place_name(struct explain *explain, struct value_place place)
{
	return place.is_slot ? explain_text(explain, "fp-%u", (place.index + 1) * SLOT_BYTES)
			     : explain_text(explain, "r%u", place.index);
}

/* --- notes --- */

struct skep_step *explain_note(struct explain *explain, enum skep_step_kind kind, u32 insn,
			       const char *text)
{
	struct skep_step *note;

	if (explain->note_cnt == EXPLAIN_NOTES_MAX || !text) {
		explain->out->face.is_cut = true;
		return NULL;
	}
	note = arena_alloc(&explain->out->arena, sizeof(*note));
	if (!note)
		return NULL;
	*note = (struct skep_step){.kind = kind,
				   .insn = insn,
				   .text = text,
				   .source = explain_source(explain, insn)};
	explain->notes[explain->note_cnt] = note;
	explain->bounds[explain->note_cnt] = BOUNDS_NO_NUMBER;
	explain->positions[explain->note_cnt++] = explain->position;
	return note;
}

static enum bounds bounds_of(const struct reg_state *value)
{
	const struct scalar *number = &value->number;

	if (value->kind != REG_SCALAR)
		return BOUNDS_NO_NUMBER;
	if (number->smax >= POINTER_OFFSET_LIMIT)
		return BOUNDS_NONE;
	return number->smin > -POINTER_OFFSET_LIMIT ? BOUNDS_BOTH : BOUNDS_UPPER;
}

static void add(struct explain *explain, const struct passage *passage,
		enum skep_step_kind kind, const char *text)
{
	const struct value_place *from =
		passage->origin.has_from && passage->origin.kind == ORIGIN_COPY
			? &passage->origin.from
			: &passage->place;
	struct skep_step *note = explain_note(explain, kind, passage->step.insn, text);

	if (!note)
		return;
	note->place = passage->name;
	explain->bounds[explain->note_cnt - 1] = has_register(&passage->place, passage->after)
							 ? bounds_of(&passage->after->spilled)
							 : BOUNDS_NONE;
	if (passage->before && passage->origin.kind != ORIGIN_BORN)
		note->before = words(explain, from, passage->before);
	note->after = words(explain, &passage->place, passage->after);
}

/* --- births --- */

static const char *load_words(struct explain *explain, u32 at)
{
	const struct walk *walk = explain->walk;
	const struct insn_fact *fact = &walk->out->facts[at];
	const struct map_desc *map = insn_fact_map(fact);
	u32 size = insn_access_size(&walk->insns[at]);
	const char *plural = size == 1 ? "" : "s";

	switch ((enum mem_kind)fact->mem) {
	case MEM_CTX:
		if (insn_fact_ctx(fact))
			return explain_text(explain, "ctx->%s", insn_fact_ctx(fact)->name);
		return "the context";
	case MEM_MAP_VALUE:
		if (map)
			return explain_text(explain, "%u byte%s of a value of map '%.*s'", size,
					    plural, (int)sizeof(map->name), map->name);
		return "a map's value";
	case MEM_PACKET: return explain_text(explain, "%u byte%s of the packet", size, plural);
	case MEM_STACK: return explain_text(explain, "%u byte%s of the stack", size, plural);
	case MEM_SOCK: return "a socket";
	case MEM_BTF:
	case MEM_KERNEL: return "a kernel object";
	case MEM_ARENA: return "the arena";
	case MEM_NONE:
	case MEM_BUFFER:
	case MEM_HELPER:
	case MEM_MIXED: break;
	}
	return "memory";
}

static const char *born_words(struct explain *explain, const struct passage *passage)
{
	const char *value = words(explain, &passage->place, passage->after);
	const char *name = passage->name;
	u32 at = passage->step.insn;

	switch (BPF_CLASS(passage->insn->code)) {
	case BPF_LDX:
	case BPF_STX:
		if (passage->place.is_slot)
			break;
		return explain_text(explain, "%s is loaded from %s: %s", name,
				    load_words(explain, at), value);
	case BPF_JMP:
		if (passage->place.frame == passage->step.depth)
			return explain_text(explain, "%s gives its callback %s: %s",
					    callee_words(explain, at), name, value);
		if (passage->place.is_slot)
			return explain_text(explain, "%s writes to %s",
					    callee_words(explain, at), name);
		return explain_text(explain, "%s returns %s: %s", callee_words(explain, at),
				    name, value);
	default: break;
	}
	return explain_text(explain, "%s is set to %s", name, value);
}

/* --- changes --- */

static const char *check_words(struct explain *explain, const struct passage *passage)
{
	const struct reg_state *before = &passage->before->spilled;
	const struct reg_state *after = &passage->after->spilled;
	const char *name = passage->name;

	/* That it is not NULL is why the path goes on, and never why it ends. */
	if (reg_is_pointer(before) && reg_may_be_null(before))
		return reg_is_pointer(after)
			       ? NULL
			       : explain_text(explain, "this check shows that %s is NULL here",
					      name);
	if (reg_is_pointer(after) && after->range > before->range)
		return explain_text(
			explain, "this check shows that %u bytes from %s are there",
			after->range,
			scalar_is_const(&after->number)
				? after->kind == REG_PACKET ? "data" : "data_meta"
				: explain_text(explain, "%s's variable part on", name));
	if (after->kind == REG_SCALAR)
		return explain_text(explain, "this check leaves %s %s (before: %s)", name,
				    words(explain, &passage->place, passage->after),
				    words(explain, &passage->place, passage->before));
	return NULL;
}

/* A copy of a number that says less than the number. */
static bool is_lost(const struct passage *passage)
{
	const struct reg_state *before = &passage->before->spilled;
	const struct reg_state *after = &passage->after->spilled;

	if (!has_register(&passage->place, passage->after))
		return has_register(&passage->origin.from, passage->before);
	return after->kind == REG_SCALAR && before->kind == REG_SCALAR &&
	       !scalar_contains(&before->number, &after->number);
}

static const char *callee_effect(struct explain *explain, u32 insn)
{
	const struct bpf_insn *call = &explain->walk->insns[insn];
	const struct helper_row *row = helper_row((u32)call->imm);
	bool changes_packet = !call->src_reg && row && row->flags & HELPER_CHANGES_PACKET;

	return explain_text(
		explain, changes_packet ? "%s may move the packet" : "%s gives back the object",
		callee_words(explain, insn));
}

static const char *lost_words(struct explain *explain, const struct passage *passage)
{
	const char *name = passage->name;
	const char *before = words(explain, &passage->place, passage->before);
	u32 at = passage->step.insn;

	if (passage->insn->code == (BPF_JMP | BPF_CALL))
		return explain_text(explain, "%s: %s was %s, and is void now",
				    callee_effect(explain, at), name, before);
	if (BPF_CLASS(passage->insn->code) == BPF_STX)
		return explain_text(explain, "this store overwrites %s: it was %s", name,
				    before);
	return explain_text(explain,
			    "going round again, only what every round has in common is "
			    "known of %s: %s (before: %s)",
			    name, words(explain, &passage->place, passage->after), before);
}

static void add_same(struct explain *explain, const struct passage *passage)
{
	const char *text;

	if (!passage->before || is_same_value(&passage->place, passage->before, passage->after))
		return;
	if (!explain_is_conditional(passage->insn)) {
		add(explain, passage, SKEP_STEP_LOST, lost_words(explain, passage));
		return;
	}
	text = check_words(explain, passage);
	if (text)
		add(explain, passage, SKEP_STEP_NARROWED, text);
}

static const char *changed_words(struct explain *explain, const char *name, const char *before,
				 const char *after)
{
	return explain_text(explain, "%s becomes %s (before: %s)", name, after, before);
}

/* Several operators on one source line are one change. */
static bool merges(struct explain *explain, const struct passage *passage)
{
	struct skep_step *last =
		explain->note_cnt ? explain->notes[explain->note_cnt - 1] : NULL;
	struct skep_source source = explain_source(explain, passage->step.insn);

	if (!last || last->kind != SKEP_STEP_CHANGED || strcmp(last->place, passage->name) ||
	    !source.file || last->source.line != source.line ||
	    strcmp(last->source.file, source.file))
		return false;
	last->before = words(explain, &passage->place, passage->before);
	last->insn = passage->step.insn;
	last->text = changed_words(explain, last->place, last->before, last->after);
	return true;
}

static const char *insn_words(struct explain *explain, u32 insn)
{
	struct strbuf text;

	strbuf_init(&text);
	insn_print(explain->walk->insns, explain->walk->insn_cnt, insn, INSN_SYNTAX_LLVM, NULL,
		   &text);
	return explain_keep(explain, &text);
}

/* "r2 += r1 gives 0..14 (r2 was 0..7, r1 is 0..7)"; of pointers only what they become. */
static const char *sum_words(struct explain *explain, const struct passage *passage)
{
	const struct stack_slot *other =
		watch_value(explain->watch, passage->position, passage->origin.from);
	const char *insn = insn_words(explain, passage->step.insn);
	const char *sum = words(explain, &passage->place, passage->after);

	if (!other)
		return NULL;
	if (reg_is_pointer(&passage->after->spilled))
		return explain_text(explain, "%s gives %s", insn, sum);
	return explain_text(explain, "%s gives %s (%s was %s, %s is %s)", insn, sum,
			    passage->name, words(explain, &passage->place, passage->before),
			    place_name(explain, passage->origin.from),
			    words(explain, &passage->origin.from, other));
}

static void add_changed(struct explain *explain, const struct passage *passage)
{
	const char *before, *after, *text;

	if (!passage->before)
		return;
	if (passage->origin.has_from) {
		add(explain, passage, SKEP_STEP_CHANGED, sum_words(explain, passage));
		return;
	}
	if (merges(explain, passage))
		return;
	before = words(explain, &passage->place, passage->before);
	after = words(explain, &passage->place, passage->after);
	if (!before || !after || !strcmp(before, after))
		return;
	text = changed_words(explain, passage->name, before, after);
	add(explain, passage, SKEP_STEP_CHANGED, text);
}

static const char *copy_words(struct explain *explain, const struct passage *passage,
			      bool is_same)
{
	const char *from = place_name(explain, passage->origin.from);
	const char *now = words(explain, &passage->place, passage->after);
	u8 class = BPF_CLASS(passage->insn->code);
	const char *was;

	if (is_same || !passage->before)
		return explain_text(explain, "%s is what %s was: %s", passage->name, from, now);
	was = words(explain, &passage->origin.from, passage->before);
	if (class == BPF_STX)
		return explain_text(explain, "the low %u bytes of %s go to %s: %s (before: %s)",
				    insn_access_size(passage->insn), from, passage->name, now,
				    was);
	if (class == BPF_ALU)
		return explain_text(explain, "%s takes the low 32 bits of %s: %s (before: %s)",
				    passage->name, from, now, was);
	return explain_text(explain, "%s keeps a part of %s only: %s (before: %s)",
			    passage->name, from, now, was);
}

static bool is_same_copy(const struct passage *passage)
{
	if (!has_register(&passage->place, passage->after) ||
	    !has_register(&passage->origin.from, passage->before))
		return passage->place.is_slot && passage->origin.from.is_slot;
	return regs_are_same(&passage->before->spilled, &passage->after->spilled);
}

static void add_copy(struct explain *explain, const struct passage *passage)
{
	bool is_same = !passage->before || is_same_copy(passage);
	enum skep_step_kind kind = is_same	      ? SKEP_STEP_MOVED
				   : is_lost(passage) ? SKEP_STEP_LOST
						      : SKEP_STEP_CHANGED;

	add(explain, passage, kind, copy_words(explain, passage, is_same));
}

/* --- along the path --- */

/* A helper wrote to the slot: what was there before is not what is told about. */
static bool is_written_by_helper(const struct passage *passage)
{
	return passage->place.is_slot && passage->origin.kind == ORIGIN_SAME &&
	       passage->insn->code == (BPF_JMP | BPF_CALL) && passage->before &&
	       !is_same_value(&passage->place, passage->before, passage->after);
}

static void add_passage(struct explain *explain, const struct passage *passage)
{
	switch (passage->origin.kind) {
	case ORIGIN_SAME: add_same(explain, passage); break;
	case ORIGIN_COPY: add_copy(explain, passage); break;
	case ORIGIN_CHANGED: add_changed(explain, passage); break;
	case ORIGIN_BORN:
		if (passage->after->spilled.kind != REG_NOT_INIT || passage->place.is_slot)
			add(explain, passage, SKEP_STEP_BORN, born_words(explain, passage));
		break;
	case ORIGIN_DESTROYED:
		add(explain, passage, SKEP_STEP_LOST,
		    explain_text(explain, "%s leaves nothing in %s: a call destroys r0 to r5",
				 callee_words(explain, passage->step.insn), passage->name));
		break;
	}
}

/* False: nothing was seen there, or its story ends here. */
static void pass(struct explain *explain, struct passage *passage, struct live_set *before)
{
	struct value_place from = passage->place;

	passage->name = place_name(explain, passage->place);
	passage->after = watch_value(explain->watch, passage->position + 1, passage->place);
	if (passage->origin.has_from && passage->origin.kind == ORIGIN_COPY)
		from = passage->origin.from;
	passage->before = watch_value(explain->watch, passage->position, from);
	if (!passage->after || !passage->name)
		return;
	if (is_written_by_helper(passage))
		passage->origin.kind = ORIGIN_BORN;
	add_passage(explain, passage);
	if (passage->origin.kind == ORIGIN_SAME || passage->origin.kind == ORIGIN_CHANGED)
		flow_add_place(before, passage->place);
	if (passage->origin.has_from)
		flow_add_place(before, passage->origin.from);
}

static void back_over(struct explain *explain, u32 position, const struct live_set *after,
		      struct live_set *before)
{
	const struct walk *walk = explain->walk;
	u32 at = explain->slice.first + position;
	u32 depth_after = path_step_at(walk, at + 1).depth;
	struct passage passage = {.position = position, .step = path_step_at(walk, at)};
	struct place_cursor cursor = {0};

	passage.insn = &walk->insns[passage.step.insn];
	explain->position = position;
	memset(before, 0, sizeof(*before));
	while (flow_next_place(after, &cursor, &passage.place)) {
		passage.origin = flow_origin(walk, &passage.step, depth_after, passage.place);
		pass(explain, &passage, before);
	}
}

void explain_steps(struct explain *explain)
{
	const struct slice *slice = &explain->slice;
	struct live_set sets[2];
	struct place_cursor cursor = {0};
	struct value_place left;

	if (!slice->count)
		return;
	sets[0] = slice->before[slice->count - 1];
	for (u32 i = slice->count - 1; i > 0; i--) {
		back_over(explain, i - 1, &sets[0], &sets[1]);
		sets[0] = sets[1];
	}
	if (slice->first && flow_next_place(&sets[0], &cursor, &left))
		explain->out->face.is_cut = true;
}
