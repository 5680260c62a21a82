// SPDX-License-Identifier: BSD-2-Clause
/* Each type by itself: names, flags, sizes, and what stands behind it. */
#include "btf/check.h"

#include <string.h>

#define KIND(name, kind_text, fixed_bytes, each_bytes, kind_flags) \
	[BTF_KIND_##name] = {kind_text, fixed_bytes, each_bytes, kind_flags},
#define SIZED	     KIND_SIZED
#define NO_SIZE	     KIND_NO_SIZE
#define MODIFIER     KIND_MODIFIER
#define FOLLOWED     KIND_FOLLOWED
#define SOURCE	     KIND_SOURCE
#define TAGGABLE     KIND_TAGGABLE
#define NO_KIND_FLAG KIND_NO_KIND_FLAG
#define NO_VLEN	     KIND_NO_VLEN
const struct kind_row kind_rows[NR_BTF_KINDS] = {
	[BTF_KIND_UNKN] = {"UNKNOWN", 0, 0, KIND_NO_SIZE},
#include "btf/kinds.def"
};
#undef KIND

#define INFO_BITS     0x9f00ffff /* of btf_type.info that have a meaning */
#define INT_BITS      0x0fffffff
#define NAME_SIZE_MAX 512 /* of a kernel symbol */
#define BITS_MAX      128

bool name_in_range(const struct check *check, u32 offset)
{
	return offset < check->btf->header.str_len;
}

/* The kernel's idea of characters is Latin-1, whatever the locale of this process is. */
static bool is_letter(u8 c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

static bool is_printable(u8 c)
{
	return (c >= ' ' && c <= '~') || c >= 0xa0;
}

/* 0: empty or too long. */
static size_t name_length(const char *name)
{
	size_t length = strnlen(name, NAME_SIZE_MAX);

	return length < NAME_SIZE_MAX ? length : 0;
}

bool name_is_identifier(const struct check *check, u32 offset)
{
	const char *name = btf_string(check->btf, offset);
	size_t length = name_length(name);

	for (size_t i = 0; i < length; i++) {
		bool is_digit = name[i] >= '0' && name[i] <= '9';

		if (!is_letter(name[i]) && name[i] != '_' && name[i] != '.' && !(i && is_digit))
			return false;
	}
	return length;
}

bool name_is_section(const struct check *check, u32 offset)
{
	const char *name = btf_string(check->btf, offset);
	size_t length = name_length(name);

	for (size_t i = 0; i < length; i++)
		if (!is_printable(name[i]))
			return false;
	return length;
}

u32 int_data(const struct btf_type *type)
{
	return *(const u32 *)btf_extra(type);
}

bool int_is_regular(const struct btf_type *type)
{
	u32 bits = BTF_INT_BITS(int_data(type));

	return !BTF_INT_OFFSET(int_data(type)) && bits >= 8 && bits <= BITS_MAX &&
	       is_power_of_two(bits);
}

static int meta_int(struct check *check, const struct btf_type *type)
{
	u32 data = int_data(type), encoding = BTF_INT_ENCODING(data);
	u32 bits = BTF_INT_BITS(data) + BTF_INT_OFFSET(data);

	if (data & ~INT_BITS)
		return check_fail_bare(check, type, "Invalid int_data:%x", data);
	if (bits > BITS_MAX)
		return check_fail_type(check, type, -EINVAL, "nr_bits exceeds %u", BITS_MAX);
	if ((bits + 7) / 8 > type->size)
		return check_fail_type(check, type, -EINVAL, "nr_bits exceeds type_size");
	if (encoding & (encoding - 1) || encoding > BTF_INT_BOOL)
		return check_fail_type(check, type, -ENOTSUPP, "Unsupported encoding");
	log_type(check, type);
	return 0;
}

/* Pointers, modifiers and typedefs. */
static int meta_reference(struct check *check, const struct btf_type *type)
{
	bool good;

	if (type->type > BTF_MAX_TYPE)
		return check_fail_type(check, type, -EINVAL, "Invalid type_id");
	switch (btf_kind(type)) {
	case BTF_KIND_TYPEDEF: good = name_is_identifier(check, type->name_off); break;
	case BTF_KIND_TYPE_TAG: good = *btf_string(check->btf, type->name_off); break;
	default: good = !type->name_off;
	}
	if (!good)
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	log_type(check, type);
	return 0;
}

static int meta_array(struct check *check, const struct btf_type *type)
{
	const struct btf_array *array = btf_array(type);

	if (type->size)
		return check_fail_type(check, type, -EINVAL, "size != 0");
	if (!array->type || array->type > BTF_MAX_TYPE)
		return check_fail_type(check, type, -EINVAL, "Invalid elem");
	if (!array->index_type || array->index_type > BTF_MAX_TYPE)
		return check_fail_type(check, type, -EINVAL, "Invalid index");
	log_type(check, type);
	return 0;
}

static int meta_member(struct check *check, const struct btf_type *type,
		       const struct btf_member *member, u32 last_offset)
{
	u32 offset = btf_member_bit_offset(type, member);

	if (!name_in_range(check, member->name_off))
		return check_fail_member(check, type, member, "Invalid member name_offset:%u",
					 member->name_off);
	if (member->name_off && !name_is_identifier(check, member->name_off))
		return check_fail_member(check, type, member, "Invalid name");
	if (!member->type || member->type > BTF_MAX_TYPE)
		return check_fail_member(check, type, member, "Invalid type_id");
	if ((btf_kind(type) == BTF_KIND_UNION && offset) || offset < last_offset)
		return check_fail_member(check, type, member, "Invalid member bits_offset");
	if (offset / 8 + !!(offset % 8) > type->size)
		return check_fail_member(check, type, member,
					 "Member bits_offset exceeds its struct size");
	log_member(check, type, member);
	return 0;
}

static int meta_composite(struct check *check, const struct btf_type *type)
{
	const struct btf_member *member = btf_members(type);
	u32 last_offset = 0;
	int err;

	if (type->name_off && !name_is_identifier(check, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	log_type(check, type);
	for (u32 i = 0; i < btf_vlen(type); i++) {
		err = meta_member(check, type, &member[i], last_offset);
		if (err)
			return err;
		last_offset = btf_member_bit_offset(type, &member[i]);
	}
	return 0;
}

static int meta_enum(struct check *check, const struct btf_type *type)
{
	if (type->size > 8 || !is_power_of_two(type->size))
		return check_fail_type(check, type, -EINVAL, "Unexpected size");
	if (type->name_off && !name_is_identifier(check, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	log_type(check, type);
	return 0;
}

static int enumerator_name(struct check *check, const struct btf_type *type, u32 offset)
{
	if (!name_in_range(check, offset))
		return check_fail(check, -EINVAL, "\tInvalid name_offset:%u", offset);
	if (!name_is_identifier(check, offset))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	return 0;
}

static int meta_enum32(struct check *check, const struct btf_type *type)
{
	const struct btf_enum *item = btf_extra(type);
	int err = meta_enum(check, type);

	for (u32 i = 0; !err && i < btf_vlen(type); i++) {
		err = enumerator_name(check, type, item[i].name_off);
		if (!err)
			log_enumerator(check,
				       btf_kind_flag(type) ? "\t%s val=%d\n" : "\t%s val=%u\n",
				       btf_string(check->btf, item[i].name_off), item[i].val);
	}
	return err;
}

static int meta_enum64(struct check *check, const struct btf_type *type)
{
	const struct btf_enum64 *item = btf_extra(type);
	int err = meta_enum(check, type);

	for (u32 i = 0; !err && i < btf_vlen(type); i++) {
		u64 value = (u64)item[i].val_hi32 << 32 | item[i].val_lo32;

		err = enumerator_name(check, type, item[i].name_off);
		if (!err)
			log_enumerator(check,
				       btf_kind_flag(type) ? "\t%s val=%lld\n"
							   : "\t%s val=%llu\n",
				       btf_string(check->btf, item[i].name_off), value);
	}
	return err;
}

static int meta_forward(struct check *check, const struct btf_type *type)
{
	if (type->type)
		return check_fail_type(check, type, -EINVAL, "type != 0");
	if (!name_is_identifier(check, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	log_type(check, type);
	return 0;
}

static int meta_func(struct check *check, const struct btf_type *type)
{
	if (!name_is_identifier(check, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	if (btf_vlen(type) > BTF_FUNC_GLOBAL)
		return check_fail_type(check, type, -EINVAL, "Invalid func linkage");
	if (btf_kind_flag(type))
		return check_fail_type(check, type, -EINVAL, "Invalid btf_info kind_flag");
	log_type(check, type);
	return 0;
}

static int meta_var(struct check *check, const struct btf_type *type)
{
	const struct btf_var *var = btf_extra(type);

	if (!name_is_identifier(check, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	if (!type->type || type->type > BTF_MAX_TYPE)
		return check_fail_type(check, type, -EINVAL, "Invalid type_id");
	if (var->linkage != BTF_VAR_STATIC && var->linkage != BTF_VAR_GLOBAL_ALLOCATED)
		return check_fail_type(check, type, -EINVAL, "Linkage not supported");
	log_type(check, type);
	return 0;
}

static int meta_section_var(struct check *check, const struct btf_type *section,
			    const struct btf_var_secinfo *var, u64 last_end)
{
	if (!var->type || var->type > BTF_MAX_TYPE)
		return check_fail_var(check, section, var, "Invalid type_id");
	if (var->offset < last_end || var->offset >= section->size)
		return check_fail_var(check, section, var, "Invalid offset");
	if (!var->size || var->size > section->size)
		return check_fail_var(check, section, var, "Invalid size");
	/* The kernel adds in 32 bits; both are at most the section's size, so it matters only
	 * for sections of more than 2 GiB. */
	if ((u32)(var->offset + var->size) > section->size)
		return check_fail_var(check, section, var, "Invalid offset+size");
	log_var(check, section, var);
	return 0;
}

static int meta_section(struct check *check, const struct btf_type *type)
{
	const struct btf_var_secinfo *var = btf_var_secinfos(type);
	u64 last_end = 0, sum = 0;
	int err;

	if (!type->size)
		return check_fail_type(check, type, -EINVAL, "size == 0");
	if (btf_kind_flag(type))
		return check_fail_type(check, type, -EINVAL, "Invalid btf_info kind_flag");
	if (!type->name_off || !name_is_section(check, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	log_type(check, type);
	for (u32 i = 0; i < btf_vlen(type); i++) {
		err = meta_section_var(check, type, &var[i], last_end);
		if (err)
			return err;
		last_end = (u32)(var[i].offset + var[i].size);
		sum += var[i].size;
	}
	if (type->size < sum)
		return check_fail_type(check, type, -EINVAL, "Invalid btf_info size");
	return 0;
}

static int meta_float(struct check *check, const struct btf_type *type)
{
	if (type->size != 12 &&
	    (type->size < 2 || type->size > 16 || !is_power_of_two(type->size)))
		return check_fail_type(check, type, -EINVAL, "Invalid type_size");
	log_type(check, type);
	return 0;
}

static int meta_decl_tag(struct check *check, const struct btf_type *type)
{
	const struct btf_decl_tag *tag = btf_extra(type);

	if (tag->component_idx < -1)
		return check_fail_type(check, type, -EINVAL, "Invalid component_idx");
	log_type(check, type);
	return 0;
}

static int meta_func_proto(struct check *check, const struct btf_type *type)
{
	log_type(check, type);
	return 0;
}

static int meta_of_kind(struct check *check, const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_INT: return meta_int(check, type);
	case BTF_KIND_ARRAY: return meta_array(check, type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return meta_composite(check, type);
	case BTF_KIND_ENUM: return meta_enum32(check, type);
	case BTF_KIND_ENUM64: return meta_enum64(check, type);
	case BTF_KIND_FWD: return meta_forward(check, type);
	case BTF_KIND_FUNC: return meta_func(check, type);
	case BTF_KIND_FUNC_PROTO: return meta_func_proto(check, type);
	case BTF_KIND_VAR: return meta_var(check, type);
	case BTF_KIND_DATASEC: return meta_section(check, type);
	case BTF_KIND_FLOAT: return meta_float(check, type);
	case BTF_KIND_DECL_TAG: return meta_decl_tag(check, type);
	default: return meta_reference(check, type);
	}
}

/* What kinds.def says of the kind. Two kinds look at their name first, two at their size. */
static int meta_flags(struct check *check, const struct btf_type *type)
{
	u32 kind = btf_kind(type);

	if ((kind == BTF_KIND_ARRAY || kind == BTF_KIND_FUNC_PROTO) && type->name_off)
		return check_fail_type(check, type, -EINVAL, "Invalid name");
	if (kind == BTF_KIND_DECL_TAG && !*btf_string(check->btf, type->name_off))
		return check_fail_type(check, type, -EINVAL, "Invalid value");
	if (kind == BTF_KIND_FUNC || kind == BTF_KIND_DATASEC)
		return 0;
	if (kind_has(type, KIND_NO_VLEN) && btf_vlen(type))
		return check_fail_type(check, type, -EINVAL, "vlen != 0");
	if (kind_has(type, KIND_NO_KIND_FLAG) && btf_kind_flag(type))
		return check_fail_type(check, type, -EINVAL, "Invalid btf_info kind_flag");
	return 0;
}

s64 check_meta(struct check *check, const struct btf_type *type, u32 left)
{
	const struct kind_row *row;
	u32 need;
	int err;

	if (left < sizeof(*type))
		return check_fail(check, -EINVAL, "[%u] meta_left:%u meta_needed:%zu",
				  check->type_id, left, sizeof(*type));
	left -= sizeof(*type);
	if (type->info & ~INFO_BITS)
		return check_fail(check, -EINVAL, "[%u] Invalid btf_info:%x", check->type_id,
				  type->info);
	if (!btf_kind(type) || btf_kind(type) >= NR_BTF_KINDS)
		return check_fail(check, -EINVAL, "[%u] Invalid kind:%u", check->type_id,
				  btf_kind(type));
	if (!name_in_range(check, type->name_off))
		return check_fail(check, -EINVAL, "[%u] Invalid name_offset:%u", check->type_id,
				  type->name_off);
	row = &kind_rows[btf_kind(type)];
	need = row->fixed + row->each * btf_vlen(type);
	if (left < need)
		return check_fail_bare(check, type, "meta_left:%u meta_needed:%u", left, need);
	err = meta_flags(check, type);
	if (!err)
		err = meta_of_kind(check, type);
	return err ? err : (s64)sizeof(*type) + need;
}
