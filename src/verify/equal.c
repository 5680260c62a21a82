/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares a kept state with the present one. Ids are names: the states may use different ones,
 * as long as each id of the old state always meets the same id of the present one.
 */
#include "verify/prune.h"

#include <string.h>

#define ID_PAIRS_MAX 256

struct comparison {
	const struct walk *walk;
	enum compare_how how;
	struct difference *last;
	u32 pair_cnt;
	struct {
		u32 old, now;
	} pairs[ID_PAIRS_MAX];
};

/* False also when there are too many to remember: the states then count as different. */
static bool ids_match(struct comparison *cmp, u32 old, u32 now)
{
	if (!old != !now)
		return false;
	if (!old)
		return true;
	for (u32 i = 0; i < cmp->pair_cnt; i++) {
		if (cmp->pairs[i].old == old)
			return cmp->pairs[i].now == now;
		if (cmp->pairs[i].now == now)
			return false;
	}
	if (cmp->pair_cnt == ID_PAIRS_MAX)
		return false;
	cmp->pairs[cmp->pair_cnt].old = old;
	cmp->pairs[cmp->pair_cnt++].now = now;
	return true;
}

/* --- registers --- */

static bool same_number(const struct scalar *a, const struct scalar *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool regs_exact(struct comparison *cmp, const struct reg_state *old,
		       const struct reg_state *now)
{
	return old->kind == now->kind && old->sub == now->sub && old->flags == now->flags &&
	       old->range == now->range && old->off == now->off && old->word == now->word &&
	       old->type_id == now->type_id && same_number(&old->number, &now->number) &&
	       ids_match(cmp, old->id, now->id) && ids_match(cmp, old->ref_id, now->ref_id);
}

/* What was linked must be so now; what was not may be. */
static bool links_match(struct comparison *cmp, const struct reg_state *old,
			const struct reg_state *now)
{
	return !old->id || (old->off == now->off && old->flags == now->flags &&
			    ids_match(cmp, old->id, now->id));
}

static bool number_covers(struct comparison *cmp, const struct reg_state *old,
			  const struct reg_state *now, bool is_precise)
{
	if (cmp->walk->compares_exactly)
		return same_number(&old->number, &now->number) && links_match(cmp, old, now);
	if (!is_precise)
		return true;
	return scalar_contains(&old->number, &now->number) && links_match(cmp, old, now);
}

static bool reg_covers(struct comparison *cmp, const struct reg_state *old,
		       const struct reg_state *now, bool is_precise)
{
	if (old->kind != now->kind)
		return false;
	if (cmp->how == COMPARE_EXACT)
		return old->kind == REG_SCALAR ? same_number(&old->number, &now->number) &&
							 links_match(cmp, old, now)
					       : regs_exact(cmp, old, now);
	switch ((enum reg_kind)old->kind) {
	case REG_NOT_INIT:
	case REG_ARENA: return true;
	case REG_SCALAR: return number_covers(cmp, old, now, is_precise);
	case REG_PACKET:
	case REG_PACKET_META:
		if (old->range > now->range)
			return false;
		break;
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_MEM:
	case REG_BUFFER:
	case REG_TP_BUFFER: break;
	case REG_CTX:
	case REG_MAP:
	case REG_STACK:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_BTF:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_ITERATOR:
	case REG_IRQ_FLAG:
	case REG_KINDS: return regs_exact(cmp, old, now);
	}
	return old->flags == now->flags && old->sub == now->sub && old->off == now->off &&
	       old->word == now->word && old->type_id == now->type_id &&
	       scalar_contains(&old->number, &now->number) &&
	       ids_match(cmp, old->id, now->id) && ids_match(cmp, old->ref_id, now->ref_id);
}

/* --- stack --- */

static bool byte_covers(const struct comparison *cmp, u8 old, u8 now,
			const struct stack_slot *now_slot)
{
	bool is_number = now == BYTE_SPILL && now_slot->spilled.kind == REG_SCALAR;

	if (cmp->how == COMPARE_EXACT)
		return old == now;
	switch ((enum byte_kind)old) {
	case BYTE_INVALID: return true;
	case BYTE_MISC:
		return cmp->walk->rules.may_read_uninit || now == BYTE_MISC ||
		       now == BYTE_ZERO || is_number;
	case BYTE_ZERO:
		return now == BYTE_ZERO || (is_number && reg_is_const(&now_slot->spilled) &&
					    !now_slot->spilled.number.bits.value);
	case BYTE_SPILL:
	case BYTE_DYNPTR:
	case BYTE_ITERATOR:
	case BYTE_IRQ_FLAG: return now == old;
	}
	return false;
}

/* The present slot holds a number of which nothing is known: as good as a spilled one that is
 * linked to no other. */
static bool slot_is_unknown_number(const struct walk *walk, const struct stack_slot *slot)
{
	for (u32 i = 0; i < SLOT_BYTES; i++)
		if (slot->bytes[i] != BYTE_MISC && slot->bytes[i] != BYTE_ZERO &&
		    !(slot->bytes[i] == BYTE_INVALID && walk->rules.may_read_uninit))
			return false;
	return true;
}

static bool slot_covers(struct comparison *cmp, const u8 *old, const struct reg_state *spilled,
			const struct stack_slot *now, bool is_precise)
{
	bool is_full = old[SLOT_BYTES - 1] == BYTE_SPILL;

	if (cmp->how == COMPARE_COVERS && is_full && spilled->kind == REG_SCALAR &&
	    slot_is_unknown_number(cmp->walk, now))
		return !is_precise || (scalar_is_unknown(&spilled->number) && !spilled->id);
	for (u32 i = 0; i < SLOT_BYTES; i++)
		if (!byte_covers(cmp, old[i], now->bytes[i], now))
			return false;
	return !spilled || reg_covers(cmp, spilled, &now->spilled, is_precise);
}

/* `spilled`: the frame's first spilled register. */
static bool stack_covers(struct comparison *cmp, const struct packed_state *old, u32 index,
			 const u8 *spilled, const struct frame *now, u64 precise)
{
	static const struct stack_slot never_written;
	const struct packed_frame *outline = packed_frame(old, index);
	u8(*bytes)[SLOT_BYTES] = packed_slots(old, index);
	struct reg_state reg;

	for (u64 set = outline->slots; set; set &= set - 1, bytes++) {
		u32 slot = __builtin_ctzll(set);
		bool is_spill = outline->spills >> slot & 1;

		if (is_spill)
			spilled = packed_reg(spilled, &reg);
		if (!slot_covers(cmp, *bytes, is_spill ? &reg : NULL,
				 slot < now->slot_cnt ? &now->slots[slot] : &never_written,
				 precise >> slot & 1))
			return false;
	}
	return true;
}

/* --- frames and resources --- */

static void note_difference(const struct comparison *cmp, u32 frame, u32 regno,
			    const struct reg_state *old)
{
	*cmp->last = (struct difference){
		.is_known = true,
		.frame = (u8)frame,
		.reg = (u8)regno,
		.kind = old->kind,
		.is_linked = old->id,
		.flags = old->flags,
		.off = old->off,
		.umin = old->number.umin,
		.umax = old->number.umax,
	};
}

static bool frame_covers(struct comparison *cmp, const struct packed_state *old, u32 index,
			 const struct frame *now, const struct live_set *precise)
{
	const struct packed_frame *outline = packed_frame(old, index);
	const u8 *at = packed_regs(old) + outline->regs_at;

	if (outline->call_site != now->call_site || outline->subprog != now->subprog ||
	    outline->callback != now->callback || outline->rounds > now->rounds)
		return false; /* after fewer rounds there may be more to come */
	for (u32 set = outline->regs; set; set &= set - 1) {
		u32 i = __builtin_ctz(set);
		struct reg_state reg;

		at = packed_reg(at, &reg);
		if (!reg_covers(cmp, &reg, &now->regs[i], precise->regs[index] >> i & 1)) {
			note_difference(cmp, index, i, &reg);
			return false;
		}
	}
	return stack_covers(cmp, old, index, at, now, precise->slots[index]);
}

static bool resources_match(struct comparison *cmp, const struct packed_state *old,
			    const struct state *now)
{
	const struct sections *before = &old->sections, *here = &now->resources.sections;

	if (before->rcu != here->rcu || before->preempt != here->preempt ||
	    !ids_match(cmp, before->irq_id, here->irq_id) ||
	    old->resource_cnt != now->resources.count)
		return false;
	for (u32 i = 0; i < old->resource_cnt; i++) {
		const struct resource *a = &packed_resources(old)[i],
				      *b = &now->resources.all[i];

		if (a->kind != b->kind || a->owner != b->owner || !ids_match(cmp, a->id, b->id))
			return false;
	}
	return true;
}

bool states_equal(struct walk *walk, const struct packed_state *old,
		  const struct live_set *precise, enum compare_how how, struct difference *last)
{
	struct comparison cmp;

	cmp.walk = walk;
	cmp.how = how;
	cmp.last = last;
	cmp.pair_cnt = 0;
	if (old->frame_cnt != walk->state.frame_cnt)
		return false;
	/* What speculation cannot do, a run may. */
	if (old->is_speculative && !walk->state.is_speculative)
		return false;
	for (u32 i = old->frame_cnt; i-- > 0;)
		if (!frame_covers(&cmp, old, i, &walk->state.frames[i], precise))
			return false;
	return resources_match(&cmp, old, &walk->state);
}
