/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers to objects in map values and in own objects (kptrs). Those that hold a reference
 * only change hands through bpf_kptr_xchg(); what is read from any is trusted as far as RCU
 * goes.
 */
#include "verify/own.h"

#include "verify/helpers.h"
#include "verify/object.h"
#include "verify/sections.h"

#include <string.h>

/* --- what is in a field --- */

static bool is_referenced(const struct btf_field *field)
{
	return field->kind == BTF_FIELD_KPTR || field->kind == BTF_FIELD_KPTR_PERCPU;
}

static bool is_kernel_type(struct walk *walk, const struct btf_field *field)
{
	return field->btf == walk_kernel(walk);
}

/* Kernel objects that stay for an RCU period after their last reference. */
static bool is_rcu_protected(struct walk *walk, const struct btf_field *field)
{
	static const char *const names[] = {"task_struct", "cgroup", "bpf_cpumask",
					    "bpf_crypto_ctx"};

	if (!is_kernel_type(walk, field))
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(btf_type_name(field->btf, field->type_id), names[i]))
			return true;
	return false;
}

static u16 loaded_flags(struct walk *walk, const struct btf_field *field)
{
	u16 flags = REG_MAY_BE_NULL;

	if (!is_referenced(field) || !section_has_rcu(walk) ||
	    (field->kind == BTF_FIELD_KPTR && !is_rcu_protected(walk, field)))
		return flags | REG_UNTRUSTED;
	flags |= REG_RCU;
	if (field->kind == BTF_FIELD_KPTR_PERCPU)
		return flags | REG_PERCPU;
	return is_kernel_type(walk, field) ? flags : flags | REG_ALLOCATED;
}

/* --- what may be put there --- */

static bool has_flags_for(struct walk *walk, const struct btf_field *field,
			  const struct reg_state *reg)
{
	u16 allowed = REG_MAY_BE_NULL;

	if (reg->btf == walk_kernel(walk))
		allowed |= REG_TRUSTED | REG_RCU |
			   (field->kind == BTF_FIELD_KPTR_UNTRUSTED ? REG_UNTRUSTED : 0);
	else
		allowed |=
			REG_ALLOCATED | (field->kind == BTF_FIELD_KPTR_PERCPU ? REG_PERCPU : 0);
	return !(reg->flags & ~allowed);
}

static int prove_match(struct walk *walk, const struct btf_field *field, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	bool is_untrusted = field->kind == BTF_FIELD_KPTR_UNTRUSTED;
	const char *want = btf_type_name(field->btf, field->type_id);
	char kind[REG_KIND_TEXT];

	if (reg->kind == REG_BTF && has_flags_for(walk, field, reg) &&
	    scalar_is_const(&reg->number) && !reg->number.bits.value && reg->off >= 0 &&
	    object_is(reg, field->btf, field->type_id, !is_untrusted))
		return 0;
	return reject(walk, kptr_type, regno, reg_kind_text(reg, kind), reg_type_name(reg),
		      want, is_untrusted ? " or untrusted_ptr_" : "", is_untrusted ? want : "");
}

/* --- loads and stores --- */

static int prove_load(struct walk *walk, const struct btf_field *field)
{
	if (field->kind == BTF_FIELD_UPTR)
		walk->access.loaded =
			(struct loaded){.kind = REG_MEM, .flags = REG_MAY_BE_NULL};
	else
		walk->access.loaded = (struct loaded){.kind = REG_BTF,
						      .flags = loaded_flags(walk, field),
						      .btf = field->btf,
						      .type_id = field->type_id};
	if (field->kind == BTF_FIELD_UPTR)
		walk->access.loaded.mem_size = (u32)btf_size(field->btf, field->type_id);
	return 0;
}

static int prove_store(struct walk *walk, const struct btf_field *field)
{
	const struct bpf_insn *insn = walk_insn(walk);

	if (is_referenced(field))
		return reject(walk, kptr_store);
	if (field->kind == BTF_FIELD_UPTR)
		return reject(walk, uptr_store);
	if (BPF_CLASS(insn->code) == BPF_ST)
		return insn->imm ? reject(walk, kptr_constant, field->offset) : 0;
	if (reg_is_null(walk_reg(walk, insn->src_reg)))
		return 0;
	return prove_match(walk, field, insn->src_reg);
}

int kptr_prove_access(struct walk *walk, const struct extent *extent,
		      const struct btf_field *field)
{
	const struct access *access = &walk->access;
	bool is_untrusted = field->kind == BTF_FIELD_KPTR_UNTRUSTED;
	const char *text = btf_field_text(is_untrusted ? BTF_FIELD_KPTR : field->kind);

	if (extent->by_helper)
		return reject(walk, kptr_indirect, text);
	if (!access->is_fixed)
		return reject(walk, kptr_variable_offset, text);
	if (access->low != field->offset)
		return reject(walk, kptr_misaligned, text, field->offset, access->low);
	if (access->size != 8)
		return reject(walk, kptr_size, text);
	if (BPF_MODE(walk_insn(walk)->code) != BPF_MEM)
		return reject(walk, kptr_mode);
	return extent->access & ACCESS_WRITE ? prove_store(walk, field)
					     : prove_load(walk, field);
}

/* --- bpf_kptr_xchg() --- */

int kptr_prove_slot(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct btf_fields *fields = own_fields(walk, reg);
	const struct btf_field *field;
	s64 off = (s64)reg->number.bits.value + reg->off;

	if (reg->kind == REG_MAP_VALUE && !reg->map->btf)
		return reject(walk, field_without_btf, reg->map->name, "bpf_kptr_xchg");
	if (!scalar_is_const(&reg->number))
		return reject(walk, field_variable_offset, regno, "kptr");
	if (!fields || !(fields->kinds & BTF_FIELDS_POINTERS))
		return reject(walk, kptr_none, regno);
	field = btf_field_at(fields, BTF_FIELDS_POINTERS, (u32)off);
	if (!field)
		return reject(walk, kptr_not_there, (s32)off);
	if (!is_referenced(field))
		return reject(walk, kptr_not_referenced, (s32)off);
	walk->call.field = field;
	return 0;
}

int kptr_prove_value(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);

	if (reg_is_null(reg))
		return 0;
	if (reg_may_be_null(reg))
		return reject(walk, arg_maybe_null, regno);
	return prove_match(walk, walk->call.field, regno);
}

void kptr_set_result(struct walk *walk, struct reg_state *result)
{
	const struct btf_field *field = walk->call.field;

	reg_set_pointer(result, REG_BTF);
	result->btf = field->btf;
	result->type_id = field->type_id;
	if (is_kernel_type(walk, field))
		return;
	result->flags |= REG_ALLOCATED;
	if (field->kind == BTF_FIELD_KPTR_PERCPU)
		result->flags |= REG_PERCPU;
}

/* Per-CPU objects can still be looked at in the RCU section, nothing else. */
void kptr_give_away(struct walk *walk, u32 ref_id)
{
	bool has_rcu = section_has_rcu(walk);
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	state_release(&walk->state, RESOURCE_REFERENCE, ref_id, NULL);
	while ((reg = state_next_reg(&walk->state, &cursor))) {
		if (!reg_is_pointer(reg) || reg->ref_id != ref_id)
			continue;
		if (has_rcu && own_is_object(reg) && reg->flags & REG_PERCPU) {
			reg->ref_id = 0;
			reg->flags = (reg->flags & ~REG_ALLOCATED) | REG_RCU;
		} else {
			call_forget_pointer(walk, reg);
		}
	}
}
