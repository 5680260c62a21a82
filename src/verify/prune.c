/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/prune.h"

#include "verify/cycle.h"
#include "verify/precision.h"
#include "verify/stack_object.h"
#include "verify/trace.h"

#include <string.h>

/* A state is kept when this much was walked since the last one. */
#define KEEP_AFTER_JUMPS 2
#define KEEP_AFTER_INSNS 8
/* The same inside what may be a loop, where every round would else leave one: unless a path was
 * put off, which then need not be walked through all the rounds that follow. */
#define LOOP_AFTER_JUMPS 20
#define LOOP_AFTER_INSNS 100
/* A state that was looked at this much more often than it helped is dropped. */
#define MISSES_MIN	  8
#define MISSES_MIN_FORCED 64
#define MISSES_PER_HIT	  3
#define PLACES_MANY	  4000
#define PLACES_MAX	  60000
/* Bytes of settled states that are kept: the walk is depth first, so those that were completed
 * last are most likely to be met again. */
#define SETTLED_BYTES_MAX (6u << 20)

int prune_init(struct walk *walk)
{
	struct prune *prune = arena_alloc(&walk->scratch, sizeof(*prune));
	/* Without calls there are no more places than instructions. */
	u32 places = walk->cfg.subprog_cnt > 1 ? max(4 * walk->insn_cnt, (u32)PLACES_MANY)
					       : walk->insn_cnt;

	if (!prune)
		return -ENOMEM;
	while (prune->hash_mask < min(places, (u32)PLACES_MAX))
		prune->hash_mask = prune->hash_mask * 2 + 1;
	prune->points =
		arena_array(&walk->scratch, prune->hash_mask + 1, sizeof(*prune->points));
	if (!prune->points)
		return -ENOMEM;
	/* Facts of registers hold for all that pruning took as alike, of all its numbers. */
	prune->is_exact = walk->out->regs;
	walk->prune = prune;
	return cycle_init(walk);
}

u64 checkpoint_place(const struct walk *walk, u32 insn)
{
	u64 place = insn;

	for (u32 i = 1; i < walk->state.frame_cnt; i++)
		place = (place ^ (u64)(walk->state.frames[i].call_site + 1) << 32) *
			0x9e3779b97f4a7c15ull;
	return place;
}

static struct checkpoint **points_at(const struct prune *prune, u64 place)
{
	return &prune->points[(place ^ place >> 32) & prune->hash_mask];
}

struct checkpoint *checkpoints_at(const struct walk *walk, u64 place)
{
	return *points_at(walk->prune, place);
}

static void set_settled(struct prune *prune, struct checkpoint *point)
{
	point->is_settled = true;
	point->older = prune->newest;
	if (prune->newest)
		prune->newest->newer = point;
	else
		prune->oldest = point;
	prune->newest = point;
	prune->settled_bytes += state_bytes(point->state);
}

static void drop_state(struct walk *walk, struct checkpoint *point)
{
	state_free(&walk->pool, point->state);
	point->state = NULL;
	walk->prune->states_kept--;
}

static void checkpoint_recycle(struct prune *prune, struct checkpoint *point)
{
	point->next = prune->unused;
	prune->unused = point;
}

/* A settled one, which is in no list of its place any more. */
static void checkpoint_free(struct walk *walk, struct checkpoint *point)
{
	struct prune *prune = walk->prune;

	*(point->older ? &point->older->newer : &prune->oldest) = point->newer;
	*(point->newer ? &point->newer->older : &prune->newest) = point->older;
	prune->settled_bytes -= state_bytes(point->state);
	drop_state(walk, point);
	checkpoint_recycle(prune, point);
}

static void forget_oldest(struct walk *walk)
{
	struct checkpoint *point = walk->prune->oldest;
	struct checkpoint **link = points_at(walk->prune, point->place);

	while (*link != point)
		link = &(*link)->next;
	*link = point->next;
	checkpoint_free(walk, point);
}

static void checkpoint_link(struct prune *prune, struct checkpoint *point)
{
	struct checkpoint **points = points_at(prune, point->place);

	point->next = *points;
	*points = point;
}

/* Those that were kept from `first` on. */
static void settle(struct walk *walk, u32 first)
{
	struct prune *prune = walk->prune;

	for (u32 i = first; i < prune->kept.count; i++) {
		struct checkpoint *point = prune->kept.all[i];

		if (point->state)
			set_settled(prune, point);
		else
			checkpoint_recycle(prune, point);
	}
	prune->kept.count = first;
	while (prune->settled_bytes > SETTLED_BYTES_MAX)
		forget_oldest(walk);
}

/* What was kept on the way to the path, from `first` on, is not complete after all. */
static int reopen(struct walk *walk, const struct checkpoint *first, struct reopened *reopened)
{
	struct checkpoint_list *trail = &walk->prune->trail;
	u32 before = trail->count;

	for (struct checkpoint *point = reopened->parent;; point = point->parent) {
		point->is_complete = false;
		point->pending_cnt = walk->pending_cnt;
		if (!checkpoint_push(walk, trail, point))
			return -ENOMEM;
		if (point == first)
			break;
	}
	for (u32 i = before, k = trail->count - 1; i < k; i++, k--) {
		struct checkpoint *point = trail->all[i];

		trail->all[i] = trail->all[k];
		trail->all[k] = point;
	}
	reopened->path.log_length = first->log_length;
	return walk_take_up_again(walk, &reopened->path);
}

static int complete(struct walk *walk, struct checkpoint *point)
{
	struct reopened reopened;

	point->is_complete = true;
	if (point->is_asleep) {
		point->is_asleep = false;
		point->misses = 0;
		checkpoint_link(walk->prune, point);
	}
	switch (cycle_leave(walk, point, &reopened)) {
	case CYCLE_WAITS: break;
	case CYCLE_SETTLED: settle(walk, point->kept_at); break;
	case CYCLE_REOPENED: return reopen(walk, point, &reopened);
	}
	return 0;
}

int prune_path_ended(struct walk *walk)
{
	struct checkpoint_list *trail = &walk->prune->trail;
	int ret = 0;

	while (trail->count && !ret &&
	       trail->all[trail->count - 1]->pending_cnt >= walk->pending_cnt)
		ret = complete(walk, trail->all[--trail->count]);
	return ret;
}

/* --- keeping --- */

bool checkpoint_push(struct walk *walk, struct checkpoint_list *list, struct checkpoint *point)
{
	if (list->count == list->capacity) {
		u32 capacity = list->capacity ? list->capacity * 2 : 256;
		struct checkpoint **bigger =
			arena_array(&walk->scratch, capacity, sizeof(*bigger));

		if (!bigger)
			return false;
		if (list->count)
			memcpy(bigger, list->all, list->count * sizeof(*bigger));
		list->all = bigger;
		list->capacity = capacity;
	}
	list->all[list->count++] = point;
	return true;
}

static struct checkpoint *checkpoint_new(struct walk *walk)
{
	struct prune *prune = walk->prune;
	struct checkpoint *point = prune->unused;

	if (point)
		prune->unused = point->next;
	else
		point = arena_alloc(&walk->scratch, sizeof(*point));
	if (point)
		memset(point, 0, sizeof(*point));
	return point;
}

static int keep(struct walk *walk)
{
	struct prune *prune = walk->prune;
	struct checkpoint *point = checkpoint_new(walk);
	struct live_set live;

	if (!point)
		return -ENOMEM;
	walk_live_set(walk, &walk->state, walk->at, &live);
	point->state = state_pack(&walk->pool, &walk->state, &live, PACK_FOR_COMPARISON);
	point->kept_at = prune->kept.count;
	point->parent = prune->trail.count ? prune->trail.all[prune->trail.count - 1] : NULL;
	point->log_length = walk->log ? walk->log->length : 0;
	if (!point->state || !checkpoint_push(walk, &prune->trail, point) ||
	    !checkpoint_push(walk, &prune->kept, point) || cycle_enter(walk, point))
		return -ENOMEM;
	point->position = walk->path->count;
	point->depth = walk->state.frame_cnt;
	point->open_rounds = walk->open_rounds;
	point->pending_cnt = walk->pending_cnt;
	point->place = checkpoint_place(walk, walk->at);
	checkpoint_link(prune, point);
	prune->last_insns = walk->insns_processed;
	prune->last_jumps = walk->jumps_processed;
	prune->last_put_off = walk->put_off_cnt;
	walk->stats.total_states++;
	walk->stats.peak_states = max(walk->stats.peak_states, ++prune->states_kept);
	return 0;
}

/* --- how much is kept --- */

static bool walked_at_least(const struct walk *walk, u64 jumps, u64 insns)
{
	const struct prune *prune = walk->prune;

	return walk->jumps_processed - prune->last_jumps >= jumps &&
	       walk->insns_processed - prune->last_insns >= insns;
}

static bool is_due_in_loop(const struct walk *walk)
{
	return walk->put_off_cnt != walk->prune->last_put_off ||
	       walked_at_least(walk, LOOP_AFTER_JUMPS, 0) ||
	       walked_at_least(walk, 0, LOOP_AFTER_INSNS);
}

static bool is_forced(const struct walk *walk)
{
	return walk->input->flags & VERIFY_STATE_FREQ ||
	       walk->cfg.flags[walk->at] & CFG_FORCE_CHECKPOINT;
}

static bool helps_too_little(const struct checkpoint *point, bool forced)
{
	return point->misses >
	       point->hits * MISSES_PER_HIT + (forced ? MISSES_MIN_FORCED : MISSES_MIN);
}

/*
 * Counts a miss of *link and unlinks it when it is of no use; the next link to look at. One
 * that is not complete has only been asked whether the path goes in circles: it gets its
 * chance later.
 */
static struct checkpoint **missed(struct walk *walk, struct checkpoint **link)
{
	struct checkpoint *point = *link;

	point->misses++;
	if (!helps_too_little(point, is_forced(walk)))
		return &point->next;
	*link = point->next;
	point->is_asleep = !point->is_complete;
	if (point->is_settled)
		checkpoint_free(walk, point);
	else if (point->is_complete)
		drop_state(walk, point);
	return link;
}

/* --- looking up --- */

/* may_goto, or a helper that calls back: the loop ends, though nobody knows when. */
static bool is_open_loop(const struct walk *walk)
{
	return walk->cfg.flags[walk->at] & CFG_FORCE_CHECKPOINT;
}

/* What differed the last time differs again, as a loop's counter does: no need to compare all.
 */
static inline bool differs_again(const struct walk *walk, const struct checkpoint *point,
				 bool in_all)
{
	const struct difference *last = &point->last;
	const struct reg_state *now = &walk->state.frames[last->frame].regs[last->reg];

	if (!last->is_known)
		return false;
	if (last->kind != now->kind)
		return true;
	if (last->kind != REG_SCALAR ||
	    !(in_all || point->needs.regs[last->frame] >> last->reg & 1))
		return false;
	if (last->is_linked && (last->off != now->off || last->flags != now->flags))
		return true;
	return now->number.umin < last->umin || now->number.umax > last->umax;
}

/* Whether the state covers the present one in the numbers that are known to matter. */
static bool is_covered(struct walk *walk, struct checkpoint *point)
{
	bool in_all = walk->prune->is_exact || (!point->is_settled && !cycle_may_assume(walk));

	return !differs_again(walk, point, in_all) &&
	       states_equal(walk, point->state, in_all ? &all_alive : &point->needs,
			    COMPARE_COVERS, &point->last);
}

/* The path ends here: what matters in the state that covers the present one matters here. */
static int end_path(struct walk *walk, struct checkpoint *point, bool *covered)
{
	const struct live_set compared = point->needs; /* more may matter from here on */
	struct difference unused;
	bool is_assumed;

	*covered = true;
	precision_need_all(walk, &compared);
	if (point->is_settled || walk->prune->is_exact)
		return 0;
	is_assumed = !states_equal(walk, point->state, &all_alive, COMPARE_COVERS, &unused);
	return cycle_end(walk, point, &compared, is_assumed);
}

/*
 * A path that came back to where it was. In a loop that ends anyway, that ends it: what is
 * covered by a state further up this path leads nowhere else.
 */
static int check_round(struct walk *walk, struct checkpoint *point, bool *covered)
{
	if (is_open_loop(walk) && point->open_rounds != walk->open_rounds) {
		return iterator_goes_on(walk) && is_covered(walk, point)
			       ? end_path(walk, point, covered)
			       : 0;
	}
	if (!states_equal(walk, point->state, &all_alive, COMPARE_EXACT, &point->last))
		return 0;
	if (point->open_rounds == walk->open_rounds) {
		int ret;

		trace_source(walk);
		ret = reject(walk, infinite_loop, walk->at);
		trace_same_again(walk, point->state);
		return ret;
	}
	return end_path(walk, point, covered); /* once more round a loop that ends */
}

/* A path that came back cannot be where it was. */
static inline bool is_elsewhere(const struct walk *walk, const struct checkpoint *point)
{
	return (!is_open_loop(walk) || point->open_rounds == walk->open_rounds) &&
	       differs_again(walk, point, true);
}

int prune_check(struct walk *walk, bool *covered)
{
	u64 place = checkpoint_place(walk, walk->at);
	struct checkpoint **link = points_at(walk->prune, place);
	bool forced = is_forced(walk);
	bool keeps = forced || walked_at_least(walk, KEEP_AFTER_JUMPS, KEEP_AFTER_INSNS);
	u32 count = 0;

	while (*link) {
		struct checkpoint *point = *link;

		if (point->place != place) {
			link = &point->next;
			continue;
		}
		if (!point->is_complete) {
			int ret = is_elsewhere(walk, point) ? 0
							    : check_round(walk, point, covered);

			if (ret || *covered)
				return ret;
			keeps = keeps && (forced || is_due_in_loop(walk));
		} else if (is_covered(walk, point)) {
			point->hits++;
			return end_path(walk, point, covered);
		}
		link = keeps ? missed(walk, link) : &point->next;
		count++;
	}
	walk->stats.max_states_per_insn = max(walk->stats.max_states_per_insn, count);
	return keeps ? keep(walk) : 0;
}
