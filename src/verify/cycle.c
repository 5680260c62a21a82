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
	u32 previous;	      /* that covered_by ended, counted from 1; 0: it is the first */
	bool is_too_early;    /* what matters is not covered, after all */
	struct live_set told; /* what matters there, as far as it was carried back from here */
};

struct cycles {
	u32 *firsts; /* indices of prune.kept */
	u32 first_cnt, first_cap;
	struct end *ends; /* in the order of the path's list */
	u32 end_cnt, end_cap;
	/* Those of which more turned out to matter than their ends were looked at with. */
	struct checkpoint **news;
	u32 news_cnt, news_cap;
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
	free(walk->cycles->news);
}

u64 cycle_bytes(const struct walk *walk)
{
	const struct cycles *cycles = walk->cycles;

	return cycles->first_cap * sizeof(*cycles->firsts) +
	       cycles->end_cap * sizeof(*cycles->ends) +
	       cycles->news_cap * sizeof(struct checkpoint *);
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

bool cycle_note_news(struct walk *walk, struct checkpoint *point)
{
	struct cycles *cycles = walk->cycles;

	if (!point->last_end || point->has_news)
		return true;
	if (!grow((void **)&cycles->news, cycles->news_cnt, &cycles->news_cap,
		  sizeof(*cycles->news)))
		return false;
	cycles->news[cycles->news_cnt++] = point;
	point->has_news = true;
	return true;
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
			    .previous = point->last_end,
			    .told = *numbers,
			    .told_news = news,
			    .covered_news = news};
	if (is_assumed && walk_set_aside(walk, walk->at, &end->path))
		return -ENOMEM;
	if (is_assumed)
		cycles->assumed_bytes += state_bytes(end->path.state);
	if (is_assumed && !point->is_complete)
		end->path.round = point;
	point->last_end = ++cycles->end_cnt;
	if (!is_all && !cycle_note_news(walk, point))
		return -ENOMEM;
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

/* The ends that `point` covers, the last one first, down to `first`. */
#define for_each_end(at, point, first) \
	for (u32 at = (point)->last_end; at > (first); at = cycles->ends[at - 1].previous)

static bool tell_ends(struct walk *walk, const struct checkpoint *point, u32 first)
{
	struct cycles *cycles = walk->cycles;
	bool changed = false;

	for_each_end(at, point, first)
	{
		struct end *end = &cycles->ends[at - 1];
		struct live_set news = {0};

		if (!take_news(end, &news))
			continue;
		precision_carry_back(walk, end->path.mark.position, end->depth, &news);
		changed = true;
	}
	return changed;
}

/* What matters at the ends from `first` on is carried back until nothing is new. */
static void carry_back(struct walk *walk, u32 first)
{
	struct cycles *cycles = walk->cycles;
	bool changed;

	do {
		changed = false;
		for (u32 i = 0; i < cycles->news_cnt; i++)
			changed |= tell_ends(walk, cycles->news[i], first);
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

/* The first of the ends of `point` that came too early, counted from 1; 0: none did. */
static u32 find_early(struct walk *walk, const struct checkpoint *point, u32 first)
{
	struct cycles *cycles = walk->cycles;
	u32 found = 0;

	for_each_end(at, point, first)
	{
		struct end *end = &cycles->ends[at - 1];

		if (!end->is_too_early)
			end->is_too_early = !is_still_covered(walk, end);
		if (end->is_too_early)
			found = at;
	}
	return found;
}

/* Of a cycle whose ends begin with `first`. */
static bool is_in_cycle(const struct checkpoint *point, u32 first)
{
	return point->last_end > first;
}

/* Forgets of those in the cycle which have no end that came too early. */
static u32 find_first_early(struct walk *walk, u32 first)
{
	struct cycles *cycles = walk->cycles;
	u32 found = 0, kept = 0;

	for (u32 i = 0; i < cycles->news_cnt; i++) {
		struct checkpoint *point = cycles->news[i];
		u32 early = find_early(walk, point, first);

		if (early && (!found || early < found))
			found = early;
		point->has_news = early || !is_in_cycle(point, first);
		if (point->has_news)
			cycles->news[kept++] = point;
	}
	cycles->news_cnt = kept;
	return found;
}

/* Takes the first path that ended too early. False: none did. */
static bool reopen(struct walk *walk, u32 first, struct reopened *out)
{
	u32 found = find_first_early(walk, first);
	struct end *end;

	if (!found)
		return false;
	end = &walk->cycles->ends[found - 1];
	*out = (struct reopened){.parent = end->parent, .path = end->path};
	take_state(walk->cycles, end);
	end->is_too_early = false;
	return true;
}

/* The ends from `first` on are forgotten. */
static void forget(struct walk *walk, u32 first)
{
	struct cycles *cycles = walk->cycles;

	for (u32 i = cycles->end_cnt; i-- > first;) {
		struct end *end = &cycles->ends[i];

		if (end->path.state)
			state_free(&walk->pool, take_state(cycles, end));
		end->covered_by->last_end = end->previous;
	}
	cycles->end_cnt = first;
	path_pin(walk, first ? cycles->ends[first - 1].path.mark.position : 0);
}

/* How many ends stand before the position. */
static u32 ends_before(const struct cycles *cycles, u32 position)
{
	u32 low = 0, high = cycles->end_cnt;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (cycles->ends[middle].path.mark.position > position)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

enum cycle_answer cycle_leave(struct walk *walk, const struct checkpoint *point,
			      struct reopened *out)
{
	struct cycles *cycles = walk->cycles;
	u32 first;

	if (cycles->firsts[cycles->first_cnt - 1] != point->kept_at)
		return CYCLE_WAITS;
	first = ends_before(cycles, point->position);
	if (first < cycles->end_cnt) {
		carry_back(walk, first);
		if (reopen(walk, first, out))
			return CYCLE_REOPENED;
		forget(walk, first);
	}
	cycles->first_cnt--;
	return CYCLE_SETTLED;
}
