/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/prune.h"

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
/* Bytes of complete states that are kept: the walk is depth first, so those that were completed
 * last are most likely to be met again. */
#define COMPLETE_BYTES_MAX (8u << 20)

struct checkpoint {
	struct checkpoint *next;	  /* of the same place, or one with the same hash */
	struct checkpoint *older, *newer; /* while it is complete */
	u64 place;			  /* place_of() */
	struct packed_state *state;
	u32 misses, hits;
	u32 path_length; /* steps that led to it */
	u32 open_rounds;
	struct live_set needs;	/* the numbers that matter: precision.c */
	u32 pending_cnt;	/* paths put off when it was made: those above are its own */
	struct difference last; /* from a state that it was compared with */
	bool is_complete;
	bool is_asleep; /* not looked at until it is complete */
};

struct prune {
	struct checkpoint **points; /* by hash of the place */
	u32 hash_mask;
	struct checkpoint **trail; /* those not complete, oldest first */
	u32 trail_cnt, trail_cap;
	struct checkpoint *unused;
	struct checkpoint *oldest, *newest; /* of those that are complete */
	u64 complete_bytes;
	u64 last_insns, last_jumps, last_put_off;
	u32 states_kept;
};

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
	walk->prune = prune;
	return 0;
}

/* An instruction and the calls that led to it: states of other places are never alike. In the
 * main program it is the instruction. */
static u64 place_of(const struct walk *walk, u32 insn)
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

static void set_complete(struct prune *prune, struct checkpoint *point)
{
	point->is_complete = true;
	point->older = prune->newest;
	if (prune->newest)
		prune->newest->newer = point;
	else
		prune->oldest = point;
	prune->newest = point;
	prune->complete_bytes += state_bytes(point->state);
}

/* A complete one, which is in no list of its place any more. */
static void checkpoint_free(struct walk *walk, struct checkpoint *point)
{
	struct prune *prune = walk->prune;

	*(point->older ? &point->older->newer : &prune->oldest) = point->newer;
	*(point->newer ? &point->newer->older : &prune->newest) = point->older;
	prune->complete_bytes -= state_bytes(point->state);
	state_free(&walk->pool, point->state);
	point->state = NULL;
	point->next = prune->unused;
	prune->unused = point;
	prune->states_kept--;
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

void prune_path_ended(struct walk *walk, u32 left)
{
	struct prune *prune = walk->prune;

	while (prune->trail_cnt && prune->trail[prune->trail_cnt - 1]->pending_cnt > left) {
		struct checkpoint *point = prune->trail[--prune->trail_cnt];

		set_complete(prune, point);
		if (!point->is_asleep)
			continue;
		point->misses = 0;
		checkpoint_link(prune, point);
	}
	while (prune->complete_bytes > COMPLETE_BYTES_MAX)
		forget_oldest(walk);
}

/* --- keeping --- */

static bool trail_push(struct walk *walk, struct checkpoint *point)
{
	struct prune *prune = walk->prune;

	if (prune->trail_cnt == prune->trail_cap) {
		u32 capacity = prune->trail_cap ? prune->trail_cap * 2 : 256;
		struct checkpoint **bigger =
			arena_array(&walk->scratch, capacity, sizeof(*bigger));

		if (!bigger)
			return false;
		if (prune->trail_cnt)
			memcpy(bigger, prune->trail, prune->trail_cnt * sizeof(*bigger));
		prune->trail = bigger;
		prune->trail_cap = capacity;
	}
	prune->trail[prune->trail_cnt++] = point;
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

/* A number that is linked to no other that is alive is as good as one without an id. */
static void drop_lone_ids(struct packed_state *state)
{
	for (u32 i = 0; i < state->reg_cnt; i++) {
		struct reg_state *reg = &state->regs[i];
		u32 other = 0;

		if (reg->kind != REG_SCALAR || !reg->id)
			continue;
		while (other < state->reg_cnt &&
		       (other == i || state->regs[other].kind != REG_SCALAR ||
			state->regs[other].id != reg->id))
			other++;
		if (other < state->reg_cnt)
			continue;
		reg_unlink(reg);
	}
}

static int keep(struct walk *walk)
{
	struct prune *prune = walk->prune;
	struct checkpoint *point = checkpoint_new(walk);
	struct live_set live;

	if (!point)
		return -ENOMEM;
	walk_live_set(walk, &walk->state, walk->at, &live);
	point->state = state_pack(&walk->pool, &walk->state, &live);
	if (!point->state || !trail_push(walk, point))
		return -ENOMEM;
	drop_lone_ids(point->state);
	point->path_length = precision_path_length(walk);
	point->open_rounds = walk->open_rounds;
	point->pending_cnt = walk->pending_cnt;
	point->place = place_of(walk, walk->at);
	checkpoint_link(prune, point);
	prune->last_insns = walk->insns_processed;
	prune->last_jumps = walk->jumps_processed;
	prune->last_put_off = walk->put_off_cnt;
	walk->stats.total_states++;
	walk->stats.peak_states = max(walk->stats.peak_states, ++prune->states_kept);
	return 0;
}

/* --- needs --- */

u32 prune_kept_count(const struct walk *walk)
{
	return walk->prune->trail_cnt;
}

u32 prune_kept_at(const struct walk *walk, u32 index)
{
	return walk->prune->trail[index]->path_length;
}

bool prune_add_needs(struct walk *walk, u32 index, const struct live_set *needs)
{
	struct checkpoint *point = walk->prune->trail[index];
	u64 news = 0;

	for (u32 i = 0; i < point->state->frame_cnt; i++) {
		news |= (needs->regs[i] & ~point->needs.regs[i]) |
			(needs->slots[i] & ~point->needs.slots[i]);
		point->needs.regs[i] |= needs->regs[i];
		point->needs.slots[i] |= needs->slots[i];
	}
	return news;
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
static struct checkpoint **missed(struct walk *walk, struct checkpoint **link, bool counts)
{
	struct checkpoint *point = *link;

	if (counts)
		point->misses++;
	if (!helps_too_little(point, is_forced(walk)))
		return &point->next;
	*link = point->next;
	point->is_asleep = !point->is_complete;
	if (point->is_complete)
		checkpoint_free(walk, point);
	return link;
}

/* --- widening --- */

static bool same_calls(const struct packed_state *old, const struct state *now)
{
	if (old->frame_cnt != now->frame_cnt)
		return false;
	for (u32 i = 0; i < now->frame_cnt; i++)
		if (old->frames[i].call_site != now->frames[i].call_site ||
		    old->frames[i].subprog != now->frames[i].subprog)
			return false;
	return true;
}

/* The last state kept at `insn` on this path, before its step `before`. NULL: none. */
static const struct checkpoint *last_round(const struct walk *walk, u32 insn, u32 before)
{
	u64 place = place_of(walk, insn);
	const struct checkpoint *point = *points_at(walk->prune, place);

	while (point && (point->place != place || point->is_complete ||
			 point->path_length >= before ||
			 !same_calls(point->state, &walk->state)))
		point = point->next;
	return point;
}

static void widen_reg(struct reg_state *now, const struct reg_state *before, u32 bytes)
{
	if (now->kind == REG_SCALAR && before->kind == REG_SCALAR &&
	    memcmp(&now->number, &before->number, sizeof(now->number)))
		reg_set_scalar(now, scalar_unsigned_bytes(bytes));
}

static void widen_slot(struct stack_slot *slot, const struct reg_state *before)
{
	u32 bytes = 0;

	while (bytes < SLOT_BYTES && slot->bytes[bytes] == BYTE_SPILL)
		bytes++;
	if (is_power_of_two(bytes))
		widen_reg(&slot->spilled, before, bytes);
}

static void widen_frame(struct frame *frame, const struct packed_frame *outline,
			const struct reg_state *reg, u16 needed_regs, u64 needed_slots)
{
	for (u32 set = outline->regs; set; set &= set - 1, reg++)
		if (!(set & -set & needed_regs))
			widen_reg(&frame->regs[__builtin_ctz(set)], reg, SLOT_BYTES);
	for (u64 set = outline->spills; set; set &= set - 1, reg++) {
		u32 slot = __builtin_ctzll(set);

		if (slot < frame->slot_cnt && !(set & -set & needed_slots))
			widen_slot(&frame->slots[slot], reg);
	}
}

void prune_widen(struct walk *walk, u32 insn, u32 before)
{
	const struct checkpoint *point = last_round(walk, insn, before);

	if (!point)
		return;
	for (u32 i = 0; i < walk->state.frame_cnt; i++) {
		const struct packed_frame *outline = &point->state->frames[i];

		widen_frame(&walk->state.frames[i], outline, &point->state->regs[outline->at],
			    point->needs.regs[i], point->needs.slots[i]);
	}
}

/* --- looking up --- */

/* may_goto, or a helper that calls back: the loop ends, though nobody knows when. */
static bool is_open_loop(const struct walk *walk)
{
	return walk->cfg.flags[walk->at] & CFG_FORCE_CHECKPOINT;
}

/* A number is at another distance from the one that it is linked to. */
static bool is_linked_otherwise(const struct reg_state *old, const struct reg_state *now)
{
	return old->id && (old->off != now->off || old->flags != now->flags);
}

/* What differed the last time differs again, as a loop's counter does: no need to compare all.
 */
static bool differs_again(const struct walk *walk, const struct checkpoint *point)
{
	const struct difference *last = &point->last;
	const struct reg_state *now, *old;

	if (!last->packed_at)
		return false;
	now = &walk->state.frames[last->frame].regs[last->reg];
	old = &point->state->regs[last->packed_at - 1];
	if (old->kind != now->kind)
		return true;
	return old->kind == REG_SCALAR &&
	       (!point->is_complete || point->needs.regs[last->frame] >> last->reg & 1) &&
	       (is_linked_otherwise(old, now) || !scalar_contains(&old->number, &now->number));
}

/* Whether the state covers the present one: in the numbers that are known to matter, or, while
 * that is not known for good, in all. */
static bool is_covered(struct walk *walk, struct checkpoint *point)
{
	bool needs_all = !point->is_complete || precision_is_exact(walk);

	return !differs_again(walk, point) &&
	       states_equal(walk, point->state, needs_all ? &all_alive : &point->needs,
			    COMPARE_COVERS, &point->last);
}

/*
 * A path that came back to where it was. In a loop that ends anyway, that ends it: what is
 * covered by a state further up this path leads nowhere else.
 */
static int check_round(struct walk *walk, struct checkpoint *point, bool *covered)
{
	if (is_open_loop(walk) && point->open_rounds != walk->open_rounds) {
		*covered = iterator_goes_on(walk) && is_covered(walk, point);
		if (*covered)
			precision_need_all(walk, &point->needs);
		return 0;
	}
	if (differs_again(walk, point) ||
	    !states_equal(walk, point->state, &all_alive, COMPARE_EXACT, &point->last))
		return 0;
	if (point->open_rounds == walk->open_rounds) {
		int ret;

		trace_source(walk);
		ret = reject(walk, infinite_loop, walk->at);
		trace_same_again(walk, point->state);
		return ret;
	}
	*covered = true; /* once more round a loop that ends */
	return 0;
}

int prune_check(struct walk *walk, bool *covered)
{
	u64 place = place_of(walk, walk->at);
	struct checkpoint **link = points_at(walk->prune, place);
	bool keeps =
		is_forced(walk) || walked_at_least(walk, KEEP_AFTER_JUMPS, KEEP_AFTER_INSNS);
	u32 count = 0;

	while (*link) {
		struct checkpoint *point = *link;

		if (point->place != place) {
			link = &point->next;
			continue;
		}
		if (!point->is_complete) {
			int ret = check_round(walk, point, covered);

			if (ret || *covered)
				return ret;
			if (!is_forced(walk) && !is_due_in_loop(walk))
				keeps = false;
		} else if (is_covered(walk, point)) {
			precision_need_all(walk, &point->needs);
			point->hits++;
			*covered = true;
			return 0;
		}
		link = missed(walk, link, keeps);
		count++;
	}
	walk->stats.max_states_per_insn = max(walk->stats.max_states_per_insn, count);
	return keeps ? keep(walk) : 0;
}
