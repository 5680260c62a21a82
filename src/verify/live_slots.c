/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack slots that may still be read.
 *
 * First, forwards: where each register points, if it points into the frame at all. That is one
 * offset from r10, or any. What is spilled is tracked per slot for the whole subprogram at
 * once. Then, backwards: a load through such a register, a helper that reads memory from it and
 * a callee that is given it keep slots alive; a store of eight bytes through r10 itself ends
 * the life of a slot.
 */
#include "isa/isa.h"
#include "verify/liveness.h"

#include <errno.h>
#include <string.h>

#define SLOT	  8
#define SLOTS	  64
#define SLOTS_ALL (~0ull)
#define POINTERS  10 /* r0 .. r9; r10 is known */

/* A place is where a register points: an offset from r10, or one of these. */
#define NOWHERE	 ((s16)INT16_MIN) /* not into the frame */
#define ANYWHERE ((s16)INT16_MAX)

/* Where the registers point at some instruction. */
struct places {
	u16 pointing; /* which of them point into the frame */
	s16 reg[POINTERS];
};

/*
 * Code is looked at in stretches: from a head, an instruction that jumps lead to or that a
 * subprogram starts with, to the next one. Places are kept of heads only.
 */
struct frame_pointers {
	const struct cfg *cfg;
	bool stores_look; /* what a slot holds decides whether it may be written to */
	const struct insn_fact *facts;
	struct places *heads;
	u32 *head_of;	    /* of those instructions: index in heads */
	struct places here; /* before the instruction that is looked at */
	s16 spilled[SLOTS]; /* join over all stores of the subprogram */
	bool has_spilled;   /* some are not NOWHERE */
	bool changed;
};

/* NOWHERE is below everything: a register that is one thing or the other counts as a pointer.
 */
static s16 place_join(s16 a, s16 b)
{
	if (a == b || b == NOWHERE)
		return a;
	return a == NOWHERE ? b : ANYWHERE;
}

static s16 place_move(s16 from, s64 distance)
{
	s64 moved = (s64)from + distance;

	if (from == NOWHERE || from == ANYWHERE)
		return from;
	return moved > -32768 && moved < 32767 ? (s16)moved : ANYWHERE;
}

static s16 reg_place(const struct frame_pointers *pointers, u32 reg)
{
	if (reg == BPF_REG_10)
		return 0;
	return pointers->here.pointing >> reg & 1 ? pointers->here.reg[reg] : NOWHERE;
}

/* Slots that [start, start + bytes) from r10 touches. */
static u64 slots_of(s64 start, s64 bytes)
{
	s64 low = max(start, -(s64)SLOT * SLOTS), high = min(start + bytes, 0ll);
	u32 first = (u32)(-high / SLOT), last = (u32)((-low - 1) / SLOT);

	return low < high ? (SLOTS_ALL >> (SLOTS - 1 - last)) & (SLOTS_ALL << first) : 0;
}

/* --- forwards: who points into the frame --- */

static void join_into(struct frame_pointers *pointers, s16 *to, s16 from)
{
	s16 joined = place_join(*to, from);

	if (joined == *to)
		return;
	*to = joined;
	pointers->changed = true;
}

static void join_head(struct frame_pointers *pointers, u32 head)
{
	struct places *places = &pointers->heads[pointers->head_of[head]];

	for (u32 set = pointers->here.pointing; set; set &= set - 1) {
		u32 reg = __builtin_ctz(set);

		if (!(places->pointing >> reg & 1))
			places->reg[reg] = NOWHERE;
		places->pointing |= 1u << reg;
		join_into(pointers, &places->reg[reg], pointers->here.reg[reg]);
	}
}

static void spill(struct frame_pointers *pointers, s16 base, s32 off, s16 value)
{
	u64 slots;

	if (value == NOWHERE || base == NOWHERE)
		return;
	pointers->has_spilled = true;
	slots = base == ANYWHERE ? SLOTS_ALL : slots_of((s64)base + off, SLOT);
	for (; slots; slots &= slots - 1)
		join_into(pointers, &pointers->spilled[__builtin_ctzll(slots)], value);
}

static s16 fill(const struct frame_pointers *pointers, s16 base, s32 off)
{
	s16 value = NOWHERE;
	u64 slots;

	if (base == NOWHERE || !pointers->has_spilled)
		return NOWHERE;
	slots = base == ANYWHERE ? SLOTS_ALL : slots_of((s64)base + off, SLOT);
	for (; slots; slots &= slots - 1)
		value = place_join(value, pointers->spilled[__builtin_ctzll(slots)]);
	return value;
}

static s16 alu_place(const struct bpf_insn *insn, s16 dst, s16 src)
{
	bool is_imm = BPF_SRC(insn->code) == BPF_K, is64 = BPF_CLASS(insn->code) == BPF_ALU64;
	u8 op = BPF_OP(insn->code);

	if (is_imm)
		src = NOWHERE;
	if (op == BPF_MOV)
		return (is64 && !insn->off) || src == NOWHERE ? src : ANYWHERE;
	if (dst == NOWHERE && src == NOWHERE)
		return NOWHERE;
	if (is_imm && is64 && op == BPF_ADD)
		return place_move(dst, insn->imm);
	if (is_imm && is64 && op == BPF_SUB)
		return place_move(dst, -(s64)insn->imm);
	return ANYWHERE;
}

static bool is_atomic(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC;
}

static bool is_atomic_load(const struct bpf_insn *insn)
{
	return is_atomic(insn) && insn->imm == BPF_LOAD_ACQ;
}

static bool is_load(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_LDX || is_atomic_load(insn);
}

/* What the instruction at `at` writes to registers; stores are noted. */
static s16 after_insn(struct frame_pointers *pointers, u32 at)
{
	const struct bpf_insn *insn = &pointers->cfg->insns[at];
	s16 dst = reg_place(pointers, insn->dst_reg);
	s16 src = reg_place(pointers, insn->src_reg);
	u8 class = BPF_CLASS(insn->code);

	if (class == BPF_STX && !is_atomic_load(insn))
		spill(pointers, dst, insn->off, src);
	if (class == BPF_ALU64 || class == BPF_ALU)
		return alu_place(insn, dst, src);
	if (is_load(insn))
		return fill(pointers, src, insn->off);
	return is_atomic(insn) ? fill(pointers, dst, insn->off) : NOWHERE;
}

/* The places behind the instruction. */
static void pass(struct frame_pointers *pointers, u32 at)
{
	struct places *here = &pointers->here;
	s16 written = after_insn(pointers, at);
	u16 writes;

	if (written == NOWHERE && !here->pointing)
		return;
	writes = insn_reg_use(&pointers->cfg->insns[at]).writes;
	here->pointing &= ~writes;
	if (written == NOWHERE)
		return;
	here->pointing |= writes;
	for (u32 set = writes; set; set &= set - 1)
		here->reg[__builtin_ctz(set)] = written;
}

static bool is_head(const struct cfg *cfg, u32 at)
{
	return cfg->flags[at] & (CFG_JUMP_TARGET | CFG_ENTRY);
}

/* Where the stretch goes on behind the instruction; 0: it ends there. */
static u32 next_in_stretch(struct frame_pointers *pointers, u32 at)
{
	const struct cfg *cfg = pointers->cfg;
	u32 successors[2], count = cfg_successors(cfg, at, successors), next = 0;

	for (u32 i = 0; i < count; i++) {
		if (is_head(pointers->cfg, successors[i]))
			join_head(pointers, successors[i]);
		else
			next = successors[i];
	}
	return next;
}

/* --- backwards: which slots are read --- */

static u64 slots_from(s16 start, s64 bytes)
{
	if (start == NOWHERE)
		return 0;
	return start == ANYWHERE ? SLOTS_ALL : slots_of(start, bytes);
}

/* The map that the call's first argument is: named in the instructions just before. NULL: not
 * known. */
static const struct map_desc *call_map(const struct frame_pointers *pointers, u32 call)
{
	const struct cfg *cfg = pointers->cfg;

	for (u32 at = call; pointers->facts && at > 0 && !(cfg->flags[at] & CFG_JUMP_TARGET);) {
		at = cfg_before(cfg, at);
		if (insn_reg_use(&cfg->insns[at]).writes & 1u << BPF_REG_1)
			return insn_is_wide(&cfg->insns[at]) &&
					       cfg->insns[at].src_reg != BPF_PSEUDO_MAP_VALUE &&
					       cfg->insns[at].src_reg !=
						       BPF_PSEUDO_MAP_IDX_VALUE
				       ? insn_fact_map(&pointers->facts[at])
				       : NULL;
	}
	return NULL;
}

/* Sizes that are not known here: as far as the frame goes. */
static s64 arg_bytes(const struct helper_arg *arg, const struct map_desc *map)
{
	if (arg->kind == ARG_FIXED_MEM)
		return arg->size;
	if (map && arg->kind == ARG_MAP_KEY)
		return map->key_size;
	if (map && arg->kind == ARG_MAP_VALUE)
		return map->value_size;
	return SLOT * SLOTS;
}

static u64 helper_arg_slots(const struct frame_pointers *pointers, const struct helper_arg *arg,
			    s16 start, const struct map_desc *map)
{
	bool is_sized = arg->kind == ARG_MAP_KEY || arg->kind == ARG_MAP_VALUE ||
			arg->kind == ARG_MEM || arg->kind == ARG_FIXED_MEM;

	if (start == NOWHERE || arg->kind == ARG_NONE || arg->kind == ARG_ANYTHING)
		return 0;
	if (!is_sized)
		return SLOTS_ALL;
	if (arg->flags & ARG_UNINIT && !pointers->stores_look)
		return 0;
	return slots_from(start, arg_bytes(arg, map));
}

/* A callee may read all of a frame that it has an address in. */
static u64 callee_slots(const struct frame_pointers *pointers, u16 args)
{
	for (u32 reg = BPF_REG_1; reg <= BPF_REG_5; reg++) {
		if ((args >> reg & 1) && reg_place(pointers, reg) != NOWHERE)
			return SLOTS_ALL;
	}
	return 0;
}

static u64 call_slots(const struct frame_pointers *pointers, u32 at,
		      const struct liveness *live)
{
	const struct bpf_insn *insn = &pointers->cfg->insns[at];
	const struct helper_row *helper = insn_helper(insn);
	const struct map_desc *map;
	s64 callee;
	u64 slots = 0;

	if (insn_is_subprog_call(insn, at, &callee))
		return callee_slots(pointers, live->regs[callee]);
	if (!helper || pointers->cfg->flags[at] & CFG_CALLS_BACK)
		return callee_slots(pointers, insn_reg_use(insn).reads);
	if (!pointers->here.pointing)
		return 0;
	map = call_map(pointers, at);
	for (u32 i = 0; i < HELPER_ARGS; i++)
		slots |= helper_arg_slots(pointers, &helper->arg[i],
					  reg_place(pointers, BPF_REG_1 + i), map);
	return slots;
}

static u32 access_bytes(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

static bool is_store(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);

	return (class == BPF_STX || class == BPF_ST) && BPF_MODE(insn->code) == BPF_MEM;
}

static u64 read_slots(const struct frame_pointers *pointers, u32 at,
		      const struct liveness *live)
{
	const struct bpf_insn *insn = &pointers->cfg->insns[at];
	u32 base = is_load(insn) ? insn->src_reg : insn->dst_reg;

	if (insn->code == (BPF_JMP | BPF_CALL))
		return call_slots(pointers, at, live);
	if (!is_load(insn) && !is_atomic(insn) && !(pointers->stores_look && is_store(insn)))
		return 0;
	return slots_from(place_move(reg_place(pointers, base), insn->off), access_bytes(insn));
}

/* The slot that a store through r10 ends the life of. Without branches: which instructions do
 * so, no processor can guess. */
static inline u64 killed_slots(const struct bpf_insn *insn)
{
	u32 depth = (u32)-insn->off;
	bool is_whole = ((insn->code | (BPF_ST ^ BPF_STX)) == (BPF_STX | BPF_MEM | BPF_DW)) &
			(insn->dst_reg == BPF_REG_10);
	bool is_slot = !(depth % SLOT) & (depth - 1 < SLOT * SLOTS);

	return (u64)(is_whole & is_slot) << (depth / SLOT - 1) % SLOTS;
}

/* --- both --- */

/* While nothing but r10 points into the frame: a load or store through it changes that by
 * storing r10 only. False: it is something else. */
static inline bool pass_plainly(const struct frame_pointers *pointers, u32 at,
				struct liveness *live)
{
	const struct bpf_insn *insn = &pointers->cfg->insns[at];

	if (pointers->here.pointing || pointers->has_spilled || pointers->stores_look ||
	    BPF_MODE(insn->code) != BPF_MEM)
		return false;
	if (BPF_CLASS(insn->code) == BPF_STX)
		return insn->src_reg != BPF_REG_10;
	if (BPF_CLASS(insn->code) != BPF_LDX || insn->src_reg != BPF_REG_10)
		return false;
	live->slots[at] = slots_of(insn->off, access_bytes(insn));
	return true;
}

/* What each instruction of a stretch reads itself, and where it leaves the registers. */
static void pass_stretch(struct frame_pointers *pointers, u32 head, struct liveness *live)
{
	const struct places *here = &pointers->here;
	const struct cfg *cfg = pointers->cfg;
	u32 at = head, next;

	pointers->here = pointers->heads[pointers->head_of[head]];
	do {
		const struct bpf_insn *insn = &cfg->insns[at];

		/* Else no pointer comes in, and none is made. */
		if ((here->pointing || insn->dst_reg == BPF_REG_10 ||
		     insn->src_reg == BPF_REG_10) &&
		    !pass_plainly(pointers, at, live)) {
			live->slots[at] = read_slots(pointers, at, live);
			pass(pointers, at);
		}
		next = at + insn_slots(insn);
		at = next < cfg->insn_cnt && !(cfg->flags[next] & CFG_BLOCK_START)
			     ? next
			     : next_in_stretch(pointers, at);
	} while (at);
}

/* The last time round, all is known that a stretch begins with. */
static void find_reads(struct frame_pointers *pointers, u32 subprog, struct liveness *live)
{
	const struct cfg *cfg = pointers->cfg;

	for (u32 slot = 0; slot < SLOTS; slot++)
		pointers->spilled[slot] = NOWHERE;
	pointers->has_spilled = false;
	do {
		pointers->changed = false;
		for (u32 i = cfg->postorder_start[subprog + 1];
		     i > cfg->postorder_start[subprog]; i--)
			if (is_head(cfg, cfg->postorder[i - 1].first))
				pass_stretch(pointers, cfg->postorder[i - 1].first, live);
	} while (pointers->changed && cfg->subprogs[subprog].has_loop);
}

/* Adds what is alive behind the block. False: nothing was new at its start. */
static bool update_slots(const struct cfg *cfg, const struct cfg_block *block,
			 struct liveness *live)
{
	u32 successors[2], count = cfg_successors(cfg, block->last, successors);
	u64 alive = 0, before = live->slots[block->first];

	for (u32 i = 0; i < count; i++)
		alive |= live->slots[successors[i]];
	for (u32 at = block->last;; at = cfg_before(cfg, at)) {
		alive &= ~killed_slots(&cfg->insns[at]);
		alive |= live->slots[at];
		live->slots[at] = alive;
		if (at == block->first)
			return alive != before;
	}
}

static void find_live_slots(const struct cfg *cfg, u32 subprog, struct liveness *live)
{
	bool changed;

	do {
		changed = false;
		for (u32 i = cfg->postorder_start[subprog];
		     i < cfg->postorder_start[subprog + 1]; i++)
			changed |= update_slots(cfg, &cfg->postorder[i], live);
	} while (changed && cfg->subprogs[subprog].has_loop);
}

static int find_heads(struct frame_pointers *pointers, struct arena *arena)
{
	const struct cfg *cfg = pointers->cfg;
	u32 count = 0;

	pointers->head_of = arena_array(arena, cfg->insn_cnt, sizeof(*pointers->head_of));
	for (u32 i = 0; pointers->head_of && i < cfg->postorder_start[cfg->subprog_cnt]; i++)
		if (is_head(cfg, cfg->postorder[i].first))
			pointers->head_of[cfg->postorder[i].first] = count++;
	pointers->heads = arena_array(arena, count, sizeof(*pointers->heads));
	return pointers->head_of && pointers->heads ? 0 : -ENOMEM;
}

int liveness_compute_slots(const struct cfg *cfg, const struct insn_fact *facts,
			   bool stores_look, struct arena *arena, struct liveness *out)
{
	struct frame_pointers pointers = {
		.cfg = cfg, .facts = facts, .stores_look = stores_look};

	if (find_heads(&pointers, arena))
		return -ENOMEM;
	for (u32 subprog = 0; subprog < cfg->subprog_cnt; subprog++) {
		find_reads(&pointers, subprog, out);
		find_live_slots(cfg, subprog, out);
	}
	return 0;
}
