// SPDX-License-Identifier: BSD-2-Clause
/* Where a member lies in its structure or union, by the kind of the member. */
#include "btf/check.h"

#define BITS_MAX	  128 /* that a bit field can touch */
#define ENUM_BITFIELD_MAX 32

/* A member as it is placed: bits from the start of the structure. */
struct place {
	const struct btf_type *type;	 /* the structure */
	const struct btf_member *member; /* for the log */
	const struct btf_type *target;	 /* the member's type behind modifiers */
	u32 target_size;
	u32 offset, bits; /* bits 0: as many as the type has */
};

static int misplaced(struct check *check, const struct place *place, const char *text)
{
	return check_fail_member(check, place->type, place->member, "%s", text);
}

/* `bits` bits at `offset`, which may begin inside a byte. */
static int check_bits(struct check *check, const struct place *place, u32 offset, u32 bits)
{
	u32 start = offset / 8, span = bits + offset % 8, size = place->type->size;

	if (span > BITS_MAX)
		return misplaced(check, place, "nr_copy_bits exceeds 128");
	if (size < start || size - start < (span + 7) / 8)
		return misplaced(check, place, "Member exceeds struct_size");
	return 0;
}

static int check_int(struct check *check, const struct place *place)
{
	u32 data = int_data(place->target), bits = BTF_INT_BITS(data);

	if (!btf_kind_flag(place->type)) {
		if (place->offset > UINT32_MAX - BTF_INT_OFFSET(data))
			return misplaced(check, place, "bits_offset exceeds U32_MAX");
		return check_bits(check, place, place->offset + BTF_INT_OFFSET(data), bits);
	}
	if (!int_is_regular(place->target))
		return misplaced(check, place, "Invalid member base type");
	if (!place->bits && place->offset % 8)
		return misplaced(check, place, "Invalid member offset");
	if (place->bits > bits)
		return misplaced(check, place, "Invalid member bitfield_size");
	return check_bits(check, place, place->offset, place->bits ? place->bits : bits);
}

/* Anything that begins at a byte. */
static int check_bytes(struct check *check, const struct place *place)
{
	if (place->offset % 8)
		return misplaced(check, place, "Member is not byte aligned");
	if (place->type->size - place->offset / 8 < place->target_size)
		return misplaced(check, place, "Member exceeds struct_size");
	return 0;
}

static int check_enum(struct check *check, const struct place *place)
{
	u32 bits = place->bits;

	if (!btf_kind_flag(place->type))
		return check_bytes(check, place);
	if (!bits) {
		if (place->offset % 8)
			return misplaced(check, place, "Member is not byte aligned");
		bits = ENUM_BITFIELD_MAX;
	} else if (bits > ENUM_BITFIELD_MAX) {
		return misplaced(check, place, "Invalid member bitfield_size");
	}
	if (place->type->size < (place->offset + bits + 7) / 8)
		return misplaced(check, place, "Member exceeds struct_size");
	return 0;
}

static int check_float(struct check *check, const struct place *place)
{
	u32 align = min(place->target->size, (u32)sizeof(void *)) * 8;

	if (place->offset % align)
		return misplaced(check, place, "Member is not properly aligned");
	if ((u64)place->offset / 8 + place->target->size > place->type->size)
		return misplaced(check, place, "Member exceeds struct_size");
	return 0;
}

int check_member(struct check *check, const struct btf_type *type,
		 const struct btf_member *member)
{
	struct btf_member behind = *member; /* as the log names it: modifiers stripped */
	struct place place = {
		.type = type,
		.member = &behind,
		.offset = btf_member_bit_offset(type, member),
		.bits = btf_member_bits(type, member),
	};
	u32 kind;

	place.target = check_sized(check, &behind.type, &place.target_size);
	if (!place.target)
		return misplaced(check, &place, "Invalid member");
	kind = btf_kind(place.target);
	if (kind == BTF_KIND_INT)
		return check_int(check, &place);
	if (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64)
		return check_enum(check, &place);
	if (place.bits)
		return misplaced(check, &place, "Invalid member bitfield_size");
	if (kind == BTF_KIND_FLOAT)
		return check_float(check, &place);
	return check_bytes(check, &place);
}
