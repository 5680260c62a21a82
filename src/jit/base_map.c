/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that the base tier does itself: look-ups in a map that is known, the slot's number.
 */
#include "jit/base.h"
#include "map/map.h"

#include <limits.h>
#include <stddef.h>

static void load_slot(struct base *base, u8 to)
{
	base_load_run(base, to);
	x86_rm(&base->emit, x86_load, W32, to, x86_at(to, offsetof(struct run_context, slot)));
}

static void multiply(struct base *base, u8 reg, u32 factor)
{
	struct emit *emit = &base->emit;

	if (is_power_of_two(factor)) {
		x86_rr(emit, x86_shl_imm8, W64, 0, reg);
		emit8(emit, (u8)__builtin_ctz(factor));
	} else {
		x86_rr(emit, x86_imul_imm, W64, reg, reg);
		emit32(emit, factor);
	}
}

/* rax: the value's address, or 0; rsi points to the index. */
static void row_address(struct base *base, const struct map_rows *rows)
{
	struct emit *emit = &base->emit;
	u32 beyond, done;

	x86_rm(emit, x86_load, W32, RAX, x86_at(RSI, 0));
	x86_rr(emit, x86_cmp_imm32, W32, 0, RAX);
	emit32(emit, rows->count);
	beyond = x86_jcc8(emit, CC_AE);
	multiply(base, RAX, (u32)rows->stride);
	if (rows->slot_stride) {
		load_slot(base, R9);
		multiply(base, R9, (u32)rows->slot_stride);
		x86_rr(emit, x86_add_store, W64, R9, RAX);
	}
	x86_mov_imm(emit, R11, ptr_to_u64(rows->values));
	x86_rr(emit, x86_add_store, W64, R11, RAX);
	done = x86_jmp8(emit);
	x86_land(emit, beyond);
	x86_mov_imm(emit, RAX, 0);
	x86_land(emit, done);
}

/* --- the map's own functions, without the way to them --- */

static bool lookup(struct base *base, const struct map *map)
{
	struct map_rows rows;

	if (!map || !map->lookup)
		return false;
	if (map_rows(map, &rows) && rows.stride <= INT_MAX && rows.slot_stride <= INT_MAX) {
		row_address(base, &rows);
		return true;
	}
	load_slot(base, RDX);
	base_call(base, map->lookup);
	return true;
}

/* The program sees the result in 64 bits. */
static bool update(struct base *base, const struct map *map)
{
	if (!map || !map->update)
		return false;
	load_slot(base, R8);
	base_call(base, map->update);
	x86_rr(&base->emit, x86_movsxd, W64, RAX, RAX);
	return true;
}

/* The map that the call is always with; NULL: it is found out when the program runs. */
static const struct map *map_of_call(const struct base *base, u32 at)
{
	const struct map_desc *desc = insn_fact_map(&base->verified->facts[at]);

	for (u32 i = 0; desc && i < base->verified->map_cnt; i++)
		if (base->verified->maps[i] == desc)
			return map_of_desc(desc);
	return NULL;
}

bool base_helper_inline(struct base *base, u32 at)
{
	const struct bpf_insn *insn = &base->verified->insns[at];

	if (insn->src_reg)
		return false;
	switch (insn->imm) {
	case BPF_FUNC_map_lookup_elem: return lookup(base, map_of_call(base, at));
	case BPF_FUNC_map_update_elem: return update(base, map_of_call(base, at));
	case BPF_FUNC_get_smp_processor_id: load_slot(base, RAX); return true;
	default: return false;
	}
}
