/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/ssa.h"

#include <stdlib.h>
#include <string.h>

void ssa_done(struct ssa *ssa)
{
	free(ssa->entries);
	free(ssa->pending);
}

static u64 key_of(u32 block, u32 variable)
{
	return ((u64)block << 32 | variable) + 1;
}

/* The entry of the key, or the free one where it would be. */
static struct ssa_entry *find(struct ssa_entry *entries, u32 room, u64 key)
{
	u64 at = (key * 0x9e3779b97f4a7c15ULL) >> 32;

	for (;; at++) {
		struct ssa_entry *entry = &entries[at & (room - 1)];

		if (!entry->key || entry->key == key)
			return entry;
	}
}

static bool grow(struct ssa *ssa)
{
	const u32 room = ssa->room ? 2 * ssa->room : 1024;
	struct ssa_entry *entries = calloc(room, sizeof(*entries));

	if (!entries) {
		ssa->fn->failed = true;
		return false;
	}
	for (u32 i = 0; i < ssa->room; i++)
		if (ssa->entries[i].key)
			*find(entries, room, ssa->entries[i].key) = ssa->entries[i];
	free(ssa->entries);
	ssa->entries = entries;
	ssa->room = room;
	return true;
}

void ssa_write(struct ssa *ssa, u32 block, u32 variable, ir_ref value)
{
	struct ssa_entry *entry;

	if (2 * ssa->used >= ssa->room && !grow(ssa))
		return;
	entry = find(ssa->entries, ssa->room, key_of(block, variable));
	ssa->used += !entry->key;
	*entry = (struct ssa_entry){key_of(block, variable), value};
}

static bool add_pending(struct ssa *ssa, ir_ref phi, u32 variable)
{
	if (ssa->pending_cnt == ssa->pending_room) {
		u32 room = 2 * ssa->pending_room + 64;
		struct ssa_pending *grown =
			realloc(ssa->pending, room * sizeof(*ssa->pending));

		if (!grown) {
			ssa->fn->failed = true;
			return false;
		}
		ssa->pending = grown;
		ssa->pending_room = room;
	}
	ssa->pending[ssa->pending_cnt++] = (struct ssa_pending){phi, variable};
	return true;
}

static ir_ref new_phi(struct ssa *ssa, u32 block, u32 variable)
{
	ir_ref phi = ir_new(ssa->fn, &(struct ir_insn){.op = IR_phi, .width = IR_64});

	ir_insert_first(ssa->fn, block, phi);
	return phi && add_pending(ssa, phi, variable) ? phi : 0;
}

ir_ref ssa_read(struct ssa *ssa, u32 block, u32 variable)
{
	u32 at = block;
	ir_ref value;

	for (;; at = ssa->fn->blocks[at].pred[0]) {
		const struct ssa_entry *entry =
			ssa->room ? find(ssa->entries, ssa->room, key_of(at, variable)) : NULL;

		if (ssa->fn->failed)
			return 0;
		if (entry && entry->key) {
			value = entry->value;
			break;
		}
		if (ssa->fn->blocks[at].pred_cnt == 1)
			continue;
		value = ssa->fn->blocks[at].pred_cnt ? new_phi(ssa, at, variable)
						     : ssa->unwritten(ssa, variable);
		ssa_write(ssa, at, variable, value);
		break;
	}
	if (at != block)
		ssa_write(ssa, block, variable, value);
	return value;
}

void ssa_finish(struct ssa *ssa)
{
	struct ir_function *fn = ssa->fn;

	for (u32 i = 0; i < ssa->pending_cnt && !fn->failed; i++) {
		const struct ssa_pending pending = ssa->pending[i];
		const u32 block = fn->insns[pending.phi].block;
		const u32 count = fn->blocks[block].pred_cnt, first = ir_new_args(fn, count);

		for (u32 p = 0; p < count && !fn->failed; p++) {
			ir_ref value = ssa_read(ssa, fn->blocks[block].pred[p],
						pending.variable);

			fn->args[first + p] = value;
		}
		fn->insns[pending.phi].args = first;
		fn->insns[pending.phi].arg_cnt = (u16)count;
	}
}
