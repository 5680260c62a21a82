/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists and red-black trees of own objects. Who puts an object in gives its reference away and
 * keeps pointers that are good as long as the lock is held; who takes one out gets a reference.
 */
#include "verify/own.h"

#include "verify/helpers.h"
#include "verify/object.h"

static enum btf_field_kind root_kind(const struct kfunc_arg *arg)
{
	return arg->kind == KFUNC_ARG_LIST_HEAD ? BTF_FIELD_LIST_HEAD : BTF_FIELD_RB_ROOT;
}

static enum btf_field_kind node_kind(const struct kfunc_arg *arg)
{
	return arg->kind == KFUNC_ARG_LIST_NODE ? BTF_FIELD_LIST_NODE : BTF_FIELD_RB_NODE;
}

static s64 offset_of(const struct reg_state *reg)
{
	return (s64)reg->number.bits.value + reg->off;
}

bool graph_is_in_less(const struct walk *walk)
{
	const struct state *state = &walk->state;

	for (u32 i = 1; i < state->frame_cnt; i++) {
		const struct kfunc *kfunc =
			insn_fact_kfunc(&walk->out->facts[state->frames[i].call_site]);

		if (state->frames[i].callback == CALLBACK_NOW && kfunc &&
		    kfunc->row->special == KFUNC_RBTREE_ADD)
			return true;
	}
	return false;
}

/* --- the root --- */

static int prove_locked(struct walk *walk, const struct reg_state *reg,
			const struct btf_fields *fields, const char *text)
{
	const struct btf_field *lock = btf_field_of_kind(fields, BTF_FIELD_SPIN_LOCK);

	if (!lock)
		lock = btf_field_of_kind(fields, BTF_FIELD_RES_SPIN_LOCK);
	if (lock_is_held(walk, reg))
		return 0;
	if (state_lock(&walk->state))
		return reject(walk, graph_other_lock);
	return reject(walk, graph_unlocked, lock ? (s32)lock->offset : -1, text);
}

int graph_prove_root(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];
	u32 regno = kfunc_arg_reg(index);
	const struct reg_state *reg = walk_reg(walk, regno);
	const char *text = btf_field_text(root_kind(arg));
	const struct btf_fields *fields;
	const struct btf_field *field;

	if (reg->kind != REG_MAP_VALUE && !(own_is_object(reg) && reg->flags == REG_ALLOCATED))
		return reject(walk, graph_root_expected, index);
	if (own_is_object(reg) && !reg->ref_id)
		return reject(walk, own_not_referenced);
	if (!scalar_is_const(&reg->number))
		return reject(walk, field_variable_offset, regno, text);
	fields = own_fields(walk, reg);
	field = fields ? btf_field_at(fields, BTF_FIELD_BIT(root_kind(arg)),
				      (u32)offset_of(reg))
		       : NULL;
	if (!field)
		return reject(walk, graph_field_missing, text, (u32)offset_of(reg));
	walk->call.field = field;
	return prove_locked(walk, reg, fields, text);
}

/* --- a node --- */

/* What is put in is owned; what is looked at or taken out is in there already. */
static int prove_ownership(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));
	bool adds = kfunc->arg[index].kind == KFUNC_ARG_LIST_NODE ||
		    kfunc->row->special == KFUNC_RBTREE_ADD;

	if (adds) {
		if (!own_is_object(reg) || reg->flags != REG_ALLOCATED)
			return reject(walk, own_expected, index);
		return reg->ref_id ? 0 : reject(walk, own_not_referenced);
	}
	if (!own_is_object(reg) || (!(reg->flags & REG_NON_OWNING) && !reg->ref_id))
		return reject(walk, graph_node_expected, kfunc->name);
	if (graph_is_in_less(walk))
		return reject(walk, graph_in_less, kfunc->name);
	return 0;
}

static int prove_type(struct walk *walk, const struct reg_state *reg, const char *node)
{
	const struct btf_field *root = walk->call.field;
	const char *want = btf_type_name(root->btf, root->type_id), *have = reg_type_name(reg);
	s32 off = (s32)offset_of(reg);

	if (!object_type_is(reg->btf, reg->type_id, 0, root->btf, root->type_id, true))
		return reject(walk, graph_other_type, btf_field_text(root->kind), node,
			      root->node_offset, want, off, have);
	if (off != (s32)root->node_offset)
		return reject(walk, graph_other_node, off, node, root->node_offset, want);
	return 0;
}

/* Objects that large cannot be had. */
static void note_node(struct insn_fact *fact, u32 offset)
{
	bool is_known = fact->callee == -1 || fact->callee == (s64)offset;

	fact->callee = is_known && offset <= INT16_MAX ? (s16)offset : FACT_VARIES;
}

int graph_prove_node(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];
	u32 regno = kfunc_arg_reg(index);
	const struct reg_state *reg = walk_reg(walk, regno);
	const char *text = btf_field_text(node_kind(arg));
	const struct btf_fields *fields;
	int ret = prove_ownership(walk, kfunc, index);

	if (ret)
		return ret;
	if (!scalar_is_const(&reg->number))
		return reject(walk, field_variable_offset, regno, text);
	fields = own_fields(walk, reg);
	if (!fields ||
	    !btf_field_at(fields, BTF_FIELD_BIT(node_kind(arg)), (u32)offset_of(reg)))
		return reject(walk, graph_field_missing, text, (u32)offset_of(reg));
	ret = prove_type(walk, reg, text);
	if (!ret)
		note_node(&walk->out->facts[walk->at], (u32)offset_of(reg));
	return ret;
}

/* --- who owns what --- */

void graph_borrow(struct walk *walk, struct reg_state *reg)
{
	const struct btf_fields *fields = own_fields(walk, reg);

	reg->ref_id = 0;
	reg->flags |= REG_NON_OWNING;
	/* Somebody else may take it out and keep it. */
	if (fields && fields->kinds & BTF_FIELD_BIT(BTF_FIELD_REFCOUNT))
		reg->flags |= REG_RCU;
}

void graph_give_away(struct walk *walk, u32 ref_id)
{
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	state_release(&walk->state, RESOURCE_REFERENCE, ref_id, NULL);
	while ((reg = state_next_reg(&walk->state, &cursor)))
		if (reg_is_pointer(reg) && reg->ref_id == ref_id)
			graph_borrow(walk, reg);
}

void graph_forget_borrowed(struct walk *walk)
{
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	while ((reg = state_next_reg(&walk->state, &cursor)))
		if (reg_is_pointer(reg) && reg->flags & REG_NON_OWNING)
			call_forget_pointer(walk, reg);
}

static void set_node(const struct btf_field *root, struct reg_state *out)
{
	reg_set_pointer(out, REG_BTF);
	out->flags = REG_ALLOCATED;
	out->btf = root->btf;
	out->type_id = root->type_id;
	out->off = (s32)root->node_offset;
}

void graph_set_node(struct walk *walk, const struct btf_field *root, struct reg_state *out)
{
	set_node(root, out);
	graph_borrow(walk, out);
}

void graph_set_result(struct walk *walk, struct reg_state *result)
{
	set_node(walk->call.field, result);
}
