/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies where in a structure, and which structures can stand for which. */
#include "verify/object.h"

#include <string.h>

/* --- members --- */

/* A member's type taken apart: how many elements of what. */
struct shape {
	u32 type_id; /* of one element, without modifiers */
	u32 count;   /* 1: no array */
	u32 size;    /* of one element */
	bool is_array;
};

static u32 bits_to_bytes(u32 bits)
{
	return (bits + 7) / 8;
}

static bool is_struct(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

/* Arrays of arrays are one long array. False: no value of the type has a size. */
static bool measure(const struct btf_view *btf, u32 type_id, struct shape *out)
{
	const struct btf_type *type;
	u64 count = 1;
	s64 size;

	*out = (struct shape){.type_id = btf_resolve(btf, type_id)};
	for (;;) {
		type = btf_type(btf, out->type_id);
		if (!type || btf_kind(type) != BTF_KIND_ARRAY)
			break;
		count *= btf_array(type)->nelems;
		out->is_array = true;
		out->type_id = btf_resolve(btf, btf_array(type)->type);
	}
	size = btf_size(btf, out->type_id);
	if (size < 0 || count > UINT32_MAX)
		return false;
	out->count = (u32)count;
	out->size = (u32)size;
	return true;
}

/* Whether an access behind the structure's end is one of an array that has no length. */
static bool enter_flexible_array(struct object_place *place, const struct btf_type *type,
				 enum object_part *found)
{
	const struct btf_member *last;
	const struct btf_type *array, *element;
	u32 off;

	if (!btf_vlen(type))
		return false;
	last = &btf_members(type)[btf_vlen(type) - 1];
	array = btf_type(place->btf, btf_resolve(place->btf, last->type));
	off = btf_member_bit_offset(type, last) / 8;
	if (!array || btf_kind(array) != BTF_KIND_ARRAY || btf_array(array)->nelems ||
	    place->off < off)
		return false;
	place->type_id = btf_resolve(place->btf, btf_array(array)->type);
	element = btf_type(place->btf, place->type_id);
	*found = OBJECT_NUMBER;
	if (element && btf_kind(element) == BTF_KIND_INT)
		return true;
	if (!element || !is_struct(element) || !element->size)
		return false;
	*found = OBJECT_INNER; /* go on in there */
	place->off = (place->off - off) % element->size;
	return true;
}

static u16 tag_flags(const struct btf_view *btf, const struct btf_type *pointer)
{
	const struct btf_type *tag = btf_type(btf, pointer->type);
	const char *text;

	if (!tag || btf_kind(tag) != BTF_KIND_TYPE_TAG || btf_kind_flag(tag))
		return 0;
	text = btf_string(btf, tag->name_off);
	if (!strcmp(text, "user"))
		return REG_USER;
	if (!strcmp(text, "percpu"))
		return REG_PERCPU;
	return strcmp(text, "rcu") ? 0 : REG_RCU;
}

static enum object_part read_pointer(struct object_place *place, const struct btf_type *pointer)
{
	u32 target = btf_resolve(place->btf, pointer->type);
	const struct btf_type *type = btf_type(place->btf, target);

	if (place->size != sizeof(void *) || place->off != place->member_off)
		return OBJECT_HALF_POINTER;
	if (!target || !type || !is_struct(type))
		return OBJECT_OPAQUE;
	place->type_id = target;
	place->flags |= tag_flags(place->btf, pointer);
	return OBJECT_POINTER;
}

/* A number is read in whatever pieces, and an array of them as if it were one. */
static enum object_part read_member(struct object_place *place, u32 type_id)
{
	const struct btf_type *type = btf_type(place->btf, type_id);

	if (btf_kind(type) == BTF_KIND_PTR)
		return read_pointer(place, type);
	if (place->off + place->size > place->member_end && !(place->flags & REG_UNTRUSTED))
		return OBJECT_BEYOND_MEMBER;
	return OBJECT_NUMBER;
}

/* --- the walk --- */

enum step {
	STEP_NEXT,  /* not this member */
	STEP_NONE,  /* no later member either */
	STEP_DEEPER, /* the place now counts from the member's own structure */
	STEP_FOUND,
};

static enum step try_bits(const struct object_place *place, u32 first_bit, u32 bits,
			  enum object_part *found)
{
	*found = OBJECT_NUMBER;
	if (place->off <= first_bit / 8 &&
	    bits_to_bytes(first_bit + bits) <= place->off + place->size)
		return STEP_FOUND;
	return STEP_NEXT;
}

static enum step try_member(struct object_place *place, const struct btf_type *type,
			    const struct btf_member *member, enum object_part *found)
{
	u32 first_bit = btf_member_bit_offset(type, member), off = first_bit / 8, end;
	struct shape shape;

	if (place->off + place->size <= off)
		return STEP_NONE;
	if (btf_member_bits(type, member))
		return try_bits(place, first_bit, btf_member_bits(type, member), found);
	if (place->off < off)
		return STEP_NONE;
	place->member = btf_string(place->btf, member->name_off);
	*found = OBJECT_SIZELESS;
	if (!measure(place->btf, member->type, &shape))
		return STEP_FOUND;
	end = off + shape.count * shape.size;
	if (place->off >= end)
		return STEP_NEXT;
	if (shape.is_array)
		off += (place->off - off) / shape.size * shape.size;
	place->member_off = off;
	place->member_end = end;
	if (!is_struct(btf_type(place->btf, shape.type_id))) {
		*found = read_member(place, shape.type_id);
		return STEP_FOUND;
	}
	place->type_id = shape.type_id;
	place->off -= off;
	*found = OBJECT_INNER;
	return place->off ? STEP_DEEPER : STEP_FOUND;
}

static enum step try_members(struct object_place *place, const struct btf_type *type,
			     enum object_part *found)
{
	const struct btf_member *members = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		enum step step = try_member(place, type, &members[i], found);

		if (step == STEP_NONE)
			break;
		if (step != STEP_NEXT)
			return step;
	}
	*found = OBJECT_NO_MEMBER;
	return STEP_FOUND;
}

/* To the next structure that begins at the place, or what else is there. */
static enum object_part find_next(struct object_place *place)
{
	enum object_part found;

	for (;;) {
		const struct btf_type *type;

		place->type_id = btf_resolve(place->btf, place->type_id);
		place->structure = btf_type_name(place->btf, place->type_id);
		type = btf_type(place->btf, place->type_id);
		if (!type || !is_struct(type))
			return OBJECT_NO_STRUCT;
		/* Which member of a union is the valid one is not known. */
		if (btf_kind(type) == BTF_KIND_UNION && btf_vlen(type) != 1)
			place->flags |= REG_UNTRUSTED;
		if (place->off + place->size > type->size) {
			if (!enter_flexible_array(place, type, &found))
				return OBJECT_BEYOND;
			if (found != OBJECT_INNER)
				return found;
			continue;
		}
		if (try_members(place, type, &found) == STEP_FOUND)
			return found;
	}
}

enum object_part object_find(struct object_place *place)
{
	enum object_part found;

	if (!place->btf) { /* the kernel's types are not there */
		place->structure = "";
		return OBJECT_NO_STRUCT;
	}
	do
		found = find_next(place);
	while (found == OBJECT_INNER);
	return found;
}

bool object_type_is(const struct btf_view *btf, u32 type_id, s64 off,
		    const struct btf_view *want_btf, u32 want_id, bool is_strict)
{
	struct object_place place = {.btf = btf, .type_id = type_id, .off = (u32)off, .size = 1};

	if (btf != want_btf)
		return false;
	if (!off && type_id == want_id)
		return true;
	if (is_strict || off < 0 || off > INT32_MAX)
		return false;
	while (find_next(&place) == OBJECT_INNER)
		if (place.type_id == want_id)
			return true;
	return false;
}
