/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores through pointers to objects. A load that may fault is executed so that it
 * gives 0 then (MEM_BTF): what is proved is that the type has something at the place, and how
 * far a pointer found there can be relied upon.
 */
#include "verify/object.h"

#include "catalog/host.h"
#include "catalog/kernel_field.h"
#include "catalog/struct_ops.h"
#include "verify/sections.h"

/* --- trust --- */

/* A pointer loaded in an RCU section through a trusted or RCU-protected one. */
static u16 flags_in_rcu(const struct object_place *place, enum field_trust trust)
{
	if (trust == FIELD_RCU)
		return place->flags | REG_RCU;
	if (trust == FIELD_RCU_OR_NULL)
		return (place->flags & ~REG_UNTRUSTED) | REG_RCU | REG_MAY_BE_NULL;
	if (place->flags & REG_RCU)
		return place->flags | REG_MAY_BE_NULL;
	return place->flags & ~(REG_TRUST_FLAGS | REG_RCU);
}

static u16 pointer_flags(const struct walk *walk, const struct reg_state *base,
			 const struct object_place *place)
{
	enum field_trust trust = kernel_field_trust(place->btf, base->type_id, place->member);

	if (base->flags & REG_UNTRUSTED)
		return REG_UNTRUSTED;
	if (!reg_is_trusted(base) && !(base->flags & REG_RCU))
		return place->flags & ~(REG_TRUST_FLAGS | REG_RCU);
	if (trust == FIELD_TRUSTED)
		return place->flags | REG_TRUSTED;
	if (trust == FIELD_TRUSTED_OR_NULL)
		return place->flags | REG_TRUSTED | REG_MAY_BE_NULL;
	if (section_has_rcu(walk) && !reg_may_be_null(base))
		return flags_in_rcu(place, trust);
	return REG_UNTRUSTED;
}

/* --- places --- */

static int reject_place(struct walk *walk, enum object_part part,
			const struct object_place *place)
{
	switch (part) {
	case OBJECT_BEYOND:
		return reject(walk, object_range, place->structure, place->off, place->size);
	case OBJECT_BEYOND_MEMBER:
		return reject(walk, member_range, place->member, place->member_end,
			      place->structure, place->off, place->size);
	case OBJECT_HALF_POINTER:
		return reject(walk, member_pointer, place->member, place->member_off,
			      place->structure, place->off, place->size);
	case OBJECT_SIZELESS: return reject(walk, member_without_size, place->member);
	case OBJECT_NO_STRUCT: return reject(walk, object_no_struct, place->structure);
	case OBJECT_NO_MEMBER:
	case OBJECT_NUMBER:
	case OBJECT_POINTER:
	case OBJECT_OPAQUE:
	case OBJECT_INNER: break;
	}
	return reject(walk, member_missing, place->structure, (s32)place->off);
}

int object_prove_place(struct walk *walk, const struct reg_state *base,
		       struct object_place *place)
{
	struct loaded *loaded = &walk->access.loaded;
	enum object_part part = object_find(place);

	*loaded = (struct loaded){.kind = REG_SCALAR};
	switch (part) {
	case OBJECT_NUMBER: return 0;
	case OBJECT_POINTER:
		if (base->flags & REG_ALLOCATED) /* the program may have put anything there */
			return 0;
		*loaded = (struct loaded){.kind = REG_BTF,
					  .flags = pointer_flags(walk, base, place),
					  .btf = place->btf,
					  .type_id = place->type_id};
		return 0;
	case OBJECT_OPAQUE:
		*loaded = (struct loaded){.kind = REG_MEM,
					  .flags = REG_READ_ONLY | REG_UNTRUSTED};
		return 0;
	case OBJECT_INNER:
	case OBJECT_BEYOND:
	case OBJECT_BEYOND_MEMBER:
	case OBJECT_HALF_POINTER:
	case OBJECT_NO_MEMBER:
	case OBJECT_SIZELESS:
	case OBJECT_NO_STRUCT: break;
	}
	return reject_place(walk, part, place);
}

void object_set_access(struct walk *walk, const struct extent *extent, s64 off)
{
	walk->access = (struct access){.kind = extent->access,
				       .is_fixed = true,
				       .low = off,
				       .high = off,
				       .size = (u32)extent->size};
}

/* --- objects --- */

static bool is_kernel_type(struct walk *walk, const struct btf_view *btf)
{
	return btf == walk_kernel(walk);
}

static int prove_may_look(struct walk *walk, const struct reg_state *reg)
{
	const char *name = reg_type_name(reg);

	if (reg->btf == walk->kernel && host_has_type(walk->input->host, reg->type_id))
		return 0; /* what the host hands out may be read */
	if (!walk->rules.may_leak)
		return reject(walk, object_rights, name);
	if (!walk->input->gpl && is_kernel_type(walk, reg->btf))
		return reject(walk, object_gpl, name);
	return 0;
}

static int prove_direct(struct walk *walk, u32 regno, s32 off)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const char *name = reg_type_name(reg);
	char bits[NUMBER_BITS_TEXT];

	if (off < 0)
		return reject(walk, object_negative, regno, name, off);
	if (!scalar_is_const(&reg->number) || reg->number.bits.value)
		return reject(walk, object_variable, regno, name, off,
			      number_bits_text(&reg->number, bits));
	if (reg->flags & REG_USER)
		return reject(walk, object_user, regno, name, off);
	if (reg->flags & REG_PERCPU)
		return reject(walk, object_percpu, regno, name, off);
	return 0;
}

/* Fields of own objects that only functions made for them may touch. */
static int prove_no_special(struct walk *walk, const struct reg_state *reg,
			    const struct extent *extent, s32 off)
{
	struct btf_fields fields;

	if (!(reg->flags & REG_ALLOCATED) ||
	    btf_find_fields(reg->btf, reg->type_id, ~0u, &fields))
		return 0;
	for (u32 i = 0; i < fields.count; i++) {
		const struct btf_field *field = &fields.field[i];

		if ((u32)off < field->offset + field->size &&
		    field->offset < (u32)off + (u32)extent->size)
			return reject(walk, object_special, btf_field_text(field->kind));
	}
	return 0;
}

/* Programs of some types may write some members of the kernel's structures. */
static int prove_kernel_write(struct walk *walk, const struct reg_state *reg, s32 off, u32 size)
{
	const struct struct_ops_row *ops = walk->attach.ops;
	const char *name = reg_type_name(reg);
	u32 end = 0;

	switch (kernel_field_write(reg->btf, reg->type_id, walk->input->type,
				   ops ? ops->name : NULL, (u32)off, size, &end)) {
	case FIELD_WRITABLE: return 0;
	case FIELD_READ_ONLY_STRUCTURE: return reject(walk, object_read_only);
	case FIELD_READ_ONLY_MEMBER: return reject(walk, member_read_only, name, off);
	case FIELD_WRITE_BEYOND: break;
	}
	if (end == btf_size(reg->btf, reg->type_id)) /* it may be written as a whole */
		return reject(walk, object_write_range, off, size);
	return reject(walk, member_write_range, off, size, name, end);
}

/* An object of the program's own, referenced or under its lock. */
static bool is_own(const struct reg_state *reg)
{
	return reg->flags & REG_ALLOCATED && !(reg->flags & REG_UNTRUSTED);
}

int object_prove(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	s32 off = reg->off + extent->off;
	struct object_place place = {.btf = reg->btf,
				     .type_id = reg->type_id,
				     .off = (u32)off,
				     .size = (u32)extent->size};
	int ret = prove_may_look(walk, reg);

	ret = ret ? ret : prove_direct(walk, extent->reg, off);
	if (ret)
		return ret;
	object_set_access(walk, extent, off);
	if (extent->access & ACCESS_WRITE && !(reg->flags & REG_ALLOCATED))
		return prove_kernel_write(walk, reg, off, (u32)extent->size);
	if (extent->access & ACCESS_WRITE && !is_own(reg))
		return reject(walk, object_read_only);
	ret = prove_no_special(walk, reg, extent, off);
	return ret ? ret : object_prove_place(walk, reg, &place);
}
