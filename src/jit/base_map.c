/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that the base tier does itself: look-ups and updates of a map that is known, the
 * slot's number. */
#include "jit/base.h"
#include "map/map.h"

#include <limits.h>
#include <stddef.h>

/* Values of so many bytes are copied by the program itself: short jumps reach over it. */
#define VALUE_INLINE 24

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

/* rax: the value's address; rsi points to the index. The jump of an index without a value. */
static u32 row_address(struct base *base, const struct map_rows *rows)
{
	struct emit *emit = &base->emit;
	u32 beyond;

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
	return beyond;
}

/* Sizes are constants of who made the map. */
static bool rows_of(const struct base *base, const struct map *map, struct map_rows *out)
{
	return !base->is_blinded && map_rows(map, out) && out->stride <= INT_MAX && out->slot_stride <= INT_MAX;
}

static void lookup_row(struct base *base, const struct map_rows *rows)
{
	struct emit *emit = &base->emit;
	u32 beyond = row_address(base, rows), done = x86_jmp8(emit);

	x86_land(emit, beyond);
	x86_mov_imm(emit, RAX, 0);
	x86_land(emit, done);
}

/* rdx points to the value, rax to its place, which has room for whole words; r11 is lost. */
static void copy_value(struct base *base, u32 size)
{
	struct emit *emit = &base->emit;

	for (u32 at = 0, bytes; at < size; at += bytes) {
		bytes = 1u << (31 - __builtin_clz(min(size - at, 8u)));
		base_load_bytes(base, R11, bytes, x86_at(RDX, (s32)at));
		if (bytes == 1)
			x86_rm(emit, x86_store8, W32, R11, x86_at(RAX, (s32)at));
		else
			x86_rm(emit, x86_store,
			       bytes == 8   ? W64
			       : bytes == 4 ? W32
					    : W16,
			       R11, x86_at(RAX, (s32)at));
	}
}

/* The program sees the result in 64 bits. */
static void call_update(struct base *base, const struct map *map)
{
	load_slot(base, R8);
	base_call(base, map->update);
	x86_rr(&base->emit, x86_movsxd, W64, RAX, RAX);
}

/* Flags other than BPF_ANY and BPF_EXIST, and an index beyond the array, are the map's to
 * answer. */
static void update_row(struct base *base, const struct map *map, const struct map_rows *rows)
{
	struct emit *emit = &base->emit;
	u32 special, beyond, done;

	x86_rr(emit, x86_test_imm32, W64, 0, RCX);
	emit32(emit, ~(u32)BPF_EXIST);
	special = x86_jcc8(emit, CC_NE);
	beyond = row_address(base, rows);
	copy_value(base, map->desc.value_size);
	x86_mov_imm(emit, RAX, 0);
	done = x86_jmp8(emit);
	x86_land(emit, special);
	x86_land(emit, beyond);
	call_update(base, map);
	x86_land(emit, done);
}

/* --- the map's own functions, without the way to them --- */

static bool lookup(struct base *base, const struct map *map)
{
	struct map_rows rows;

	if (!map || !map->lookup)
		return false;
	if (rows_of(base, map, &rows)) {
		lookup_row(base, &rows);
		return true;
	}
	load_slot(base, RDX);
	base_call(base, map->lookup);
	return true;
}

static bool update(struct base *base, const struct map *map)
{
	struct map_rows rows;

	if (!map || !map->update)
		return false;
	if (map->desc.value_size <= VALUE_INLINE && !map->desc.fields.count &&
	    rows_of(base, map, &rows))
		update_row(base, map, &rows);
	else
		call_update(base, map);
	return true;
}

bool base_helper_inline(struct base *base, u32 at)
{
	const struct bpf_insn *insn = &base->verified->insns[at];

	if (insn->src_reg)
		return false;
	switch (insn->imm) {
	case BPF_FUNC_map_lookup_elem: return lookup(base, base_map_of_call(base, at));
	case BPF_FUNC_map_update_elem: return update(base, base_map_of_call(base, at));
	case BPF_FUNC_get_smp_processor_id: load_slot(base, RAX); return true;
	default: return false;
	}
}
