/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/constant.h"
#include "run/run.h"

#include <string.h>

const u8 *ir_constant_bytes(const struct ir_function *fn, u64 address, u64 bytes)
{
	const struct verified *verified = fn->prog->verified;

	/* Blinded code does not show them either. */
	for (u32 i = 0; !fn->prog->is_blinded && i < verified->map_cnt; i++) {
		const struct map_desc *map = verified->maps[i];
		const u64 offset = address - ptr_to_u64(map->values);
		const u64 size = (u64)map->value_stride * map->max_entries;

		if (map_desc_is_constant(map) && offset < size && bytes <= size - offset)
			return map->values + offset;
	}
	return NULL;
}

static u64 extended(u64 value, const struct ir_insn *load)
{
	const u32 unused = 64 - 8 * load->bytes;

	if (!load->is_signed)
		return value;
	value = (u64)((s64)(value << unused) >> unused);
	return load->width == IR_64 ? value : (u32)value;
}

bool ir_constant_load(const struct ir_function *fn, const struct ir_insn *load, u64 *out)
{
	const u8 *bytes;
	u64 value = 0;

	if (load->b || load->is_ordered || !ir_is_const(fn, load->a))
		return false;
	bytes = ir_constant_bytes(fn, (u64)(ir_at(fn, load->a)->imm + load->imm), load->bytes);
	if (!bytes)
		return false;
	memcpy(&value, bytes, load->bytes);
	*out = extended(value, load);
	return true;
}
