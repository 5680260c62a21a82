// SPDX-License-Identifier: BSD-2-Clause
#include "btf/value.h"

#include <string.h>

static struct value value_at(const struct value *parent, u32 id, const char *name, u64 offset)
{
	struct value value = {
		.btf = parent->btf,
		.name = name,
		.id = id,
		.type = btf_type(parent->btf, btf_resolve(parent->btf, id)),
		.data = parent->data + min(offset, (u64)(parent->end - parent->data)),
		.end = parent->end,
		.depth = parent->depth + 1,
		.budget = parent->budget,
	};

	return value;
}

struct value value_of(const struct btf_view *btf, u32 id, const void *data, size_t size,
		      u32 *budget)
{
	struct value whole = {
		.btf = btf, .data = data, .end = (const u8 *)data + size, .budget = budget};
	struct value value = value_at(&whole, id, "", 0);

	*budget = min((size + 64) * VALUES_PER_BYTE, (size_t)UINT32_MAX);
	value.depth = 0;
	return value;
}

struct value value_member(const struct value *parent, u32 index)
{
	const struct btf_member *member = &btf_members(parent->type)[index];
	u32 offset = btf_member_bit_offset(parent->type, member);
	struct value value = value_at(parent, member->type,
				      btf_string(parent->btf, member->name_off), offset / 8);
	u32 data;

	value.bit = offset % 8;
	value.bits = btf_member_bits(parent->type, member);
	if (value.bits || btf_kind(value.type) != BTF_KIND_INT)
		return value;
	/* Without kind_flag the integer type itself says which bits it has. */
	data = *(const u32 *)btf_extra(value.type);
	value.bit += BTF_INT_OFFSET(data);
	if (value.bit || BTF_INT_BITS(data) % 8)
		value.bits = BTF_INT_BITS(data);
	value.data += min((ptrdiff_t)(value.bit / 8), value.end - value.data);
	value.bit %= 8;
	return value;
}

u32 value_elements(const struct value *array)
{
	const struct btf_array *type = btf_array(array->type);

	return btf_size(array->btf, type->type) > 0 ? type->nelems : 0;
}

struct value value_element(const struct value *parent, u32 index)
{
	u32 id = btf_array(parent->type)->type;

	return value_at(parent, id, "", (u64)index * max(btf_size(parent->btf, id), (s64)0));
}

struct value value_section_var(const struct value *parent, u32 index)
{
	const struct btf_var_secinfo *var = &btf_var_secinfos(parent->type)[index];

	return value_at(parent, var->type, btf_type_name(parent->btf, var->type), var->offset);
}

struct value value_behind_var(const struct value *parent)
{
	struct value value = value_at(parent, parent->type->type, parent->name, 0);

	value.depth = parent->depth;
	return value;
}

u32 value_size(const struct value *value)
{
	return max(btf_size(value->btf, value->id), (s64)0);
}

bool value_is_missing(const struct value *value)
{
	u64 need = value->bits ? (value->bit + value->bits + 7) / 8 : value_size(value);

	if (!*value->budget)
		return true;
	--*value->budget;
	return value->depth > VALUE_DEPTH_MAX || need > (u64)(value->end - value->data);
}

u128 value_raw(const struct value *value, u32 *bits)
{
	size_t size = min(value_size(value), (u32)sizeof(u128));
	u128 raw = 0;

	if (!value->bits) {
		memcpy(&raw, value->data, size);
		*bits = size * 8;
		return raw;
	}
	/* Checked when the BTF was: a bit field touches at most 16 bytes. */
	memcpy(&raw, value->data, (value->bit + value->bits + 7) / 8);
	*bits = value->bits;
	raw >>= value->bit;
	return value->bits < 128 ? raw & (((u128)1 << value->bits) - 1) : raw;
}

u64 value_u64(const struct value *value)
{
	u32 bits;

	return value_raw(value, &bits);
}

s64 value_s64(const struct value *value)
{
	u32 bits, spare;
	u64 raw = value_raw(value, &bits);

	spare = bits && bits < 64 ? 64 - bits : 0;
	return (s64)(raw << spare) >> spare;
}

bool value_is_signed(const struct value *value)
{
	if (btf_kind(value->type) == BTF_KIND_INT)
		return BTF_INT_ENCODING(*(const u32 *)btf_extra(value->type)) & BTF_INT_SIGNED;
	return btf_kind_flag(value->type);
}

const char *value_enumerator(const struct value *value)
{
	bool wide = btf_kind(value->type) == BTF_KIND_ENUM64;
	u64 want = value_is_signed(value) ? (u64)value_s64(value) : value_u64(value);

	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		const struct btf_enum *narrow =
			(const struct btf_enum *)btf_extra(value->type) + i;
		const struct btf_enum64 *item =
			(const struct btf_enum64 *)btf_extra(value->type) + i;
		u64 has = wide			   ? (u64)item->val_hi32 << 32 | item->val_lo32
			  : value_is_signed(value) ? (u64)(s64)narrow->val
						   : (u64)(u32)narrow->val;

		if (has == want)
			return btf_string(value->btf, wide ? item->name_off : narrow->name_off);
	}
	return NULL;
}

double value_double(const struct value *value)
{
	float single;
	double number = 0;

	switch (value_size(value)) {
	case sizeof(single): memcpy(&single, value->data, sizeof(single)); return single;
	case sizeof(number): memcpy(&number, value->data, sizeof(number)); return number;
	default: return number;
	}
}
