/* SPDX-License-Identifier: BSD-2-Clause */
/* The strongly connected components of the graph of states, found while it is walked: as by
 * Gabow, with a stack of those that may be the first of theirs. */
#include "verify/cycle.h"

#include "verify/precision.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_COUNT 256

/* Bytes of states that wait for what they assume to be shown. */
#define ASSUMED_BYTES_MAX (32u << 20)

/* Where a path ended. */
struct end {
	struct checkpoint *covered_by, *parent;
	/* covered_by->news when `told` was all that mattered there, and when that was shown to
	 * be covered. */
	u32 told_news, covered_news;
	struct pending path; /* its state: where all numbers are not covered, else NULL */
	u32 depth;
	struct live_set told; /* what matters there, as far as it was carried back from here */
};

struct cycles {
	u32 *firsts; /* indices of prune.kept */
	u32 first_cnt, first_cap;
	struct end *ends; /* in the order of the path's list */
	u32 end_cnt, end_cap;
	u64 assumed_bytes;
};

int cycle_init(struct walk *walk)
{
	walk->cycles = arena_alloc(&walk->scratch, sizeof(*walk->cycles));
	return walk->cycles ? 0 : -ENOMEM;
}

void cycle_done(struct walk *walk)
{
	if (!walk->cycles)
		return;
	free(walk->cycles->firsts);
	free(walk->cycles->ends);
}

u64 cycle_bytes(const struct walk *walk)
{
	const struct cycles *cycles = walk->cycles;

	return cycles->first_cap * sizeof(*cycles->firsts) +
	       cycles->end_cap * sizeof(*cycles->ends);
}

/* Room for one more. */
static bool grow(void **all, u32 count, u32 *capacity, size_t size)
{
	u32 more = *capacity ? 2 * *capacity : FIRST_COUNT;
	void *bigger;

	if (count < *capacity)
		return true;
	bigger = realloc(*all, more * size);
	if (!bigger)
		return false;
	*all = bigger;
	*capacity = more;
	return true;
}

int cycle_enter(struct walk *walk, const struct checkpoint *point)
{
	struct cycles *cycles = walk->cycles;

	if (!grow((void **)&cycles->firsts, cycles->first_cnt, &cycles->first_cap,
		  sizeof(*cycles->firsts)))
		return -ENOMEM;
	cycles->firsts[cycles->first_cnt++] = point->kept_at;
	return 0;
}

bool cycle_may_assume(const struct walk *walk)
{
	return walk->cycles->assumed_bytes < ASSUMED_BYTES_MAX;
}

int cycle_end(struct walk *walk, struct checkpoint *point, const struct live_set *numbers,
	      bool is_assumed)
{
	const struct checkpoint_list *trail = &walk->prune->trail;
	struct cycles *cycles = walk->cycles;
	bool is_all = !memcmp(numbers, &point->needs, sizeof(*numbers));
	u32 news = is_all ? point->news : point->news - 1;
	struct end *end;

	if (!grow((void **)&cycles->ends, cycles->end_cnt, &cycles->end_cap,
		  sizeof(*cycles->ends)))
		return -ENOMEM;
	end = &cycles->ends[cycles->end_cnt];
	*end = (struct end){.covered_by = point,
			    .parent = trail->all[trail->count - 1],
			    .path.mark = path_mark(walk),
			    .depth = walk->state.frame_cnt,
			    .told = *numbers,
			    .told_news = news,
			    .covered_news = news};
	if (is_assumed && walk_set_aside(walk, walk->at, &end->path))
		return -ENOMEM;
	if (is_assumed)
		cycles->assumed_bytes += state_bytes(end->path.state);
	cycles->end_cnt++;
	path_pin(walk, path_position(walk));
	while (cycles->firsts[cycles->first_cnt - 1] > point->kept_at)
		cycles->first_cnt--;
	return 0;
}

/* What is new of what matters there. False: nothing. */
static bool take_news(struct end *end, struct live_set *news)
{
	const struct live_set *needs = &end->covered_by->needs;
	u64 any = 0;

	if (end->told_news == end->covered_by->news)
		return false;
	for (u32 i = 0; i < end->depth; i++) {
		news->regs[i] = needs->regs[i] & ~end->told.regs[i];
		news->slots[i] = needs->slots[i] & ~end->told.slots[i];
		any |= news->regs[i] | news->slots[i];
	}
	end->told = *needs;
	end->told_news = end->covered_by->news;
	return any;
}

/* What matters at these ends is carried back until nothing is new. */
static void carry_back(struct walk *walk, struct end *ends, u32 count)
{
	bool changed;

	do {
		changed = false;
		for (u32 i = count; i-- > 0;) {
			struct live_set news = {0};

			if (!take_news(&ends[i], &news))
				continue;
			precision_carry_back(walk, ends[i].path.mark.position, ends[i].depth,
					     &news);
			changed = true;
		}
	} while (changed);
}

/* --- what was assumed --- */

static bool is_still_covered(struct walk *walk, struct end *end)
{
	const struct checkpoint *point = end->covered_by;
	struct difference unused;

	if (end->covered_news == point->news || !end->path.state)
		return true;
	if (!point->state)
		return false;
	state_unpack(end->path.state, &walk->state);
	if (!states_equal(walk, point->state, &point->needs, COMPARE_COVERS, &unused))
		return false;
	end->covered_news = point->news;
	return true;
}

static struct packed_state *take_state(struct cycles *cycles, struct end *end)
{
	struct packed_state *state = end->path.state;

	cycles->assumed_bytes -= state_bytes(state);
	end->path.state = NULL;
	return state;
}

/* Takes the first path that ended too early. False: none did. */
static bool reopen(struct walk *walk, struct end *ends, u32 count, struct reopened *out)
{
	for (u32 i = 0; i < count; i++) {
		if (is_still_covered(walk, &ends[i]))
			continue;
		*out = (struct reopened){.parent = ends[i].parent, .path = ends[i].path};
		take_state(walk->cycles, &ends[i]);
		return true;
	}
	return false;
}

/* The ends from `first` on are forgotten. */
static void forget(struct walk *walk, u32 first)
{
	struct cycles *cycles = walk->cycles;

	for (u32 i = first; i < cycles->end_cnt; i++)
		if (cycles->ends[i].path.state)
			state_free(&walk->pool, take_state(cycles, &cycles->ends[i]));
	cycles->end_cnt = first;
	path_pin(walk, first ? cycles->ends[first - 1].path.mark.position : 0);
}

enum cycle_answer cycle_leave(struct walk *walk, const struct checkpoint *point,
			      struct reopened *out)
{
	struct cycles *cycles = walk->cycles;
	u32 first = cycles->end_cnt;

	if (cycles->firsts[cycles->first_cnt - 1] != point->kept_at)
		return CYCLE_WAITS;
	while (first && cycles->ends[first - 1].path.mark.position > point->position)
		first--;
	if (first < cycles->end_cnt) {
		struct end *ends = &cycles->ends[first];
		u32 count = cycles->end_cnt - first;

		carry_back(walk, ends, count);
		if (reopen(walk, ends, count, out))
			return CYCLE_REOPENED;
		forget(walk, first);
	}
	cycles->first_cnt--;
	return CYCLE_SETTLED;
}
