/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/watch.h"

int watch_count(struct watch *watch, u32 insn_cnt, struct arena *arena)
{
	watch->processed = arena_array(arena, insn_cnt, sizeof(*watch->processed));
	watch->states = arena_array(arena, insn_cnt, sizeof(*watch->states));
	return watch->processed && watch->states ? 0 : -ENOMEM;
}

static u32 count_places(const struct live_set *set)
{
	u32 count = 0;

	for (u32 i = 0; i < MAX_FRAMES; i++)
		count += (u32)(__builtin_popcount(set->regs[i]) +
			       __builtin_popcountll(set->slots[i]));
	return count;
}

int watch_slice(struct watch *watch, const struct slice *slice, struct arena *arena)
{
	u32 total = 0;

	watch->start = arena_array(arena, slice->count + 1, sizeof(*watch->start));
	if (!watch->start)
		return -ENOMEM;
	for (u32 i = 0; i < slice->count; i++) {
		watch->start[i] = total;
		total += count_places(&slice->before[i]);
	}
	watch->values = arena_array(arena, total + 1, sizeof(*watch->values));
	if (!watch->values)
		return -ENOMEM;
	watch->slice = slice;
	return 0;
}

static void note(const struct state *state, struct value_place place, struct stack_slot *out)
{
	static const struct stack_slot nothing;
	const struct frame *frame = &state->frames[place.frame];

	*out = nothing;
	if (place.frame >= state->frame_cnt)
		return;
	if (!place.is_slot)
		out->spilled = frame->regs[place.index];
	else if (place.index < frame->slot_cnt)
		*out = frame->slots[place.index];
}

/* The slice's step that stands here in the list; its count: none. */
static u32 find_step(const struct slice *slice, u32 listed_at)
{
	u32 low = 0, high = slice->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (slice->listed_at[middle] < listed_at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < slice->count && slice->listed_at[low] == listed_at ? low : slice->count;
}

static void note_values(struct walk *walk, const struct watch *watch)
{
	u32 position = find_step(watch->slice, path_position(walk) - 1);
	struct place_cursor cursor = {0};
	struct value_place place;
	u32 at;

	if (position >= watch->slice->count)
		return;
	at = watch->start[position];
	while (flow_next_place(&watch->slice->before[position], &cursor, &place))
		note(&walk->state, place, &watch->values[at++]);
}

void watch_visit(struct walk *walk)
{
	struct watch *watch = walk->watch;

	if (!watch->processed)
		return;
	watch->states[watch->at] += walk->stats.total_states - watch->states_seen;
	watch->states_seen = walk->stats.total_states;
	watch->at = walk->at;
	watch->processed[walk->at]++;
}

void watch_step(struct walk *walk)
{
	if (walk->watch->slice)
		note_values(walk, walk->watch);
}

const struct stack_slot *watch_value(const struct watch *watch, u32 position,
				     struct value_place place)
{
	struct place_cursor cursor = {0};
	struct value_place other;

	if (position >= watch->slice->count)
		return NULL;
	for (u32 at = watch->start[position];
	     flow_next_place(&watch->slice->before[position], &cursor, &other); at++)
		if (other.frame == place.frame && other.is_slot == place.is_slot &&
		    other.index == place.index)
			return &watch->values[at];
	return NULL;
}
