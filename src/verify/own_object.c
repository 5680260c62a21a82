/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the program's own types as arguments and results of kernel functions. */
#include "verify/own.h"

#include "verify/helpers.h"

#define PERCPU_SIZE_MAX 512

/* --- arguments --- */

static bool is_owned_kind(const struct reg_state *reg, u16 others)
{
	return own_is_object(reg) && !(reg->flags & ~(REG_ALLOCATED | others));
}

/* Neither loaded in an RCU section nor from anywhere unknown. */
static bool is_trusted(const struct reg_state *reg)
{
	u16 trusted = REG_ALLOCATED | REG_NON_OWNING | REG_TRUSTED;

	return reg->kind == REG_BTF && reg->flags & trusted && !(reg->flags & ~trusted);
}

int own_prove_object(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));
	bool wants_percpu = kfunc->row->special == KFUNC_PERCPU_OBJ_DROP;

	if (!reg->ref_id && !is_trusted(reg))
		return reject(walk, kfunc_trusted, kfunc_arg_reg(index));
	if (!is_owned_kind(reg, REG_PERCPU))
		return reject(walk, own_expected, index);
	if (!!(reg->flags & REG_PERCPU) != wants_percpu)
		return reject(walk, own_other_drop, index,
			      wants_percpu ? "bpf_obj_drop_impl" : "bpf_percpu_obj_drop_impl");
	if (!reg->ref_id)
		return reject(walk, own_not_referenced);
	return 0;
}

int own_prove_refcounted(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));
	const struct btf_fields *fields;

	if (!own_is_object(reg))
		return reject(walk, own_not_counted_pointer, index);
	fields = own_fields(walk, reg);
	if (!fields || !(fields->kinds & BTF_FIELD_BIT(BTF_FIELD_REFCOUNT)))
		return reject(walk, own_without_count, index);
	walk->call.object_type = reg->type_id;
	walk->call.object_btf = reg->btf;
	walk->call.is_owned = !(reg->flags & REG_NON_OWNING);
	return 0;
}

/* --- new ones --- */

static int prove_percpu(struct walk *walk, const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);
	struct btf_fields fields;

	if (type->size > PERCPU_SIZE_MAX)
		return reject(walk, own_percpu_size, type->size, PERCPU_SIZE_MAX);
	if (!kfunc_is_plain(btf, id))
		return reject(walk, own_percpu_members);
	if (!btf_find_fields(btf, id, ~0u, &fields) && fields.count)
		return reject(walk, own_percpu_fields);
	return 0;
}

static bool is_structure(const struct btf_type *type)
{
	return type && (btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION);
}

int own_prove_new(struct walk *walk, const struct kfunc *kfunc)
{
	u64 id = walk_reg(walk, BPF_REG_1)->number.bits.value;
	const struct btf_view *btf = walk->input->btf;

	if (id != (u32)id)
		return reject(walk, own_type_range);
	if (!btf)
		return reject(walk, own_without_types);
	if (!is_structure(btf_type(btf, (u32)id)))
		return reject(walk, own_type_kind);
	walk->call.object_type = (u32)id;
	walk->call.object_btf = btf;
	return kfunc->row->special == KFUNC_PERCPU_OBJ_NEW ? prove_percpu(walk, btf, (u32)id) : 0;
}

void own_set_new(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result)
{
	reg_set_pointer(result, REG_BTF);
	result->btf = walk->call.object_btf;
	result->type_id = walk->call.object_type;
	result->flags = REG_ALLOCATED;
	if (kfunc->row->special == KFUNC_PERCPU_OBJ_NEW)
		result->flags |= REG_PERCPU;
}
