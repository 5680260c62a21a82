/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows that the registers of a call are what the kernel function asks for. */
#include "verify/kfunc.h"

#include "verify/helpers.h"
#include "verify/own.h"
#include "verify/precision.h"
#include "verify/special.h"
#include "verify/stack_object.h"

#include <string.h>

/* --- numbers --- */

static int prove_constant(struct walk *walk, u32 regno)
{
	if (!reg_is_const(walk_reg(walk, regno)))
		return reject(walk, kfunc_constant, regno);
	precision_need(walk, 1u << regno);
	return 0;
}

static bool is_named(const struct kfunc_arg *arg, const char *name)
{
	return !strcmp(arg->name, name);
}

/* How much memory the function returns, where an argument of this name says so. */
static int note_result_size(struct walk *walk, const struct kfunc_arg *arg, u32 regno)
{
	bool is_read_only = is_named(arg, "rdonly_buf_size");
	int ret;

	if (!is_read_only && !is_named(arg, "rdwr_buf_size"))
		return 0;
	ret = prove_constant(walk, regno);
	if (ret)
		return ret;
	walk->call.memory_size = walk_reg(walk, regno)->number.bits.value;
	walk->call.is_memory_read_only = is_read_only;
	return 0;
}

static int prove_scalar(struct walk *walk, const struct kfunc_arg *arg, u32 regno)
{
	int ret;

	if (walk_reg(walk, regno)->kind != REG_SCALAR)
		return reject(walk, kfunc_not_scalar, regno);
	ret = arg->flags & KFUNC_ARG_CONSTANT ? prove_constant(walk, regno) : 0;
	return ret ? ret : note_result_size(walk, arg, regno);
}

/* --- pointers --- */

static bool may_be_null(const struct reg_state *reg)
{
	return reg_is_null(reg) || (reg_is_pointer(reg) && reg_may_be_null(reg));
}

static int prove_reference(struct walk *walk, const struct kfunc *kfunc, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	struct call *call = &walk->call;

	if (!reg_is_pointer(reg) || !reg->ref_id)
		return 0;
	if (kfunc_has_flag(kfunc, KF_RELEASE)) {
		if (call->ref_id)
			return reject(walk, two_references, regno, reg->ref_id, call->ref_id);
		if (reg->off || !scalar_is_const(&reg->number) || reg->number.bits.value)
			return reject(walk, release_offset, regno);
		call->released_ref = reg->ref_id;
	}
	call->ref_id = reg->ref_id;
	return 0;
}

int kfunc_prove_offset(struct walk *walk, u32 index)
{
	u32 regno = kfunc_arg_reg(index);
	const struct reg_state *reg = walk_reg(walk, regno);

	switch (reg->kind) {
	case REG_NOT_INIT:
		return reject(walk, pointer_variable_offset, "?", "(0x0; 0xffffffffffffffff)");
	case REG_SCALAR:
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_MEM:
	case REG_BUFFER:
	case REG_ARENA: return 0;
	case REG_BTF: return memory_prove_fixed(walk, regno);
	default: return memory_prove_unmoved(walk, regno);
	}
}

static int prove_context(struct walk *walk, u32 index)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));
	char kind[REG_KIND_TEXT];

	if (reg->kind != REG_CTX)
		return reject(walk, kfunc_context, index, reg_kind_text(reg, kind));
	return memory_prove_unmoved(walk, kfunc_arg_reg(index));
}

static int prove_string(struct walk *walk, u32 index)
{
	if (walk_reg(walk, kfunc_arg_reg(index))->kind != REG_MAP_VALUE)
		return reject(walk, kfunc_string, index);
	return call_prove_string(walk, kfunc_arg_reg(index));
}

/* Linux's functions take maps for their work queues; a host's take any. */
static int prove_map(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));

	if (reg->kind != REG_MAP || reg_may_be_null(reg))
		return reject(walk, kfunc_map, kfunc_arg_reg(index));
	if (kfunc->row->body)
		return 0;
	return special_prove_map_of_field(walk, kfunc_arg_reg(index), "workqueue");
}

/* A work queue, or work for a task, in a map value. */
static int prove_field(struct walk *walk, u32 index, enum btf_field_kind kind)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));

	if (reg->kind != REG_MAP_VALUE)
		return reject(walk, workqueue_expected, index);
	return special_prove_field(walk, kfunc_arg_reg(index), kind);
}

static int prove_callback(struct walk *walk, u32 index)
{
	const struct reg_state *reg = walk_reg(walk, kfunc_arg_reg(index));

	if (reg->kind != REG_FUNC)
		return reject(walk, kfunc_callback, index);
	walk->call.callback = (u32)reg->subprog;
	walk->call.calls_back = true;
	return 0;
}

static int prove_by_kind(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];

	switch ((enum kfunc_arg_kind)arg->kind) {
	case KFUNC_ARG_CONTEXT: return prove_context(walk, index);
	case KFUNC_ARG_STRING: return prove_string(walk, index);
	case KFUNC_ARG_MAP: return prove_map(walk, kfunc, index);
	case KFUNC_ARG_POINTER: return kfunc_prove_pointer(walk, kfunc, index);
	case KFUNC_ARG_DYNPTR:
		return arg->flags & KFUNC_ARG_UNINIT
			       ? dynptr_prove_place(walk, kfunc_arg_reg(index))
			       : dynptr_prove(walk, kfunc_arg_reg(index), DYNPTR_NONE, false);
	case KFUNC_ARG_ITERATOR: return iterator_prove(walk, kfunc, index);
	case KFUNC_ARG_IRQ_FLAG: return irq_flag_prove(walk, kfunc, index);
	case KFUNC_ARG_RES_LOCK: return res_lock_prove(walk, kfunc, index);
	case KFUNC_ARG_ALLOCATED: return own_prove_object(walk, kfunc, index);
	case KFUNC_ARG_REFCOUNTED: return own_prove_refcounted(walk, kfunc, index);
	case KFUNC_ARG_LIST_HEAD:
	case KFUNC_ARG_RB_ROOT: return graph_prove_root(walk, kfunc, index);
	case KFUNC_ARG_LIST_NODE:
	case KFUNC_ARG_RB_NODE: return graph_prove_node(walk, kfunc, index);
	case KFUNC_ARG_WORKQUEUE: return prove_field(walk, index, BTF_FIELD_WORKQUEUE);
	case KFUNC_ARG_TASK_WORK: return prove_field(walk, index, BTF_FIELD_TASK_WORK);
	case KFUNC_ARG_CALLBACK: return prove_callback(walk, index);
	case KFUNC_ARG_SCALAR:
	case KFUNC_ARG_IGNORED:
	case KFUNC_ARG_PROGRAM: return 0;
	case KFUNC_ARG_UNKNOWN: break;
	}
	return reject(walk, kfunc_argument_type, index);
}

static int prove_pointer(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];
	u32 regno = kfunc_arg_reg(index);
	const struct reg_state *reg = walk_reg(walk, regno);
	bool is_nullable = arg->flags & KFUNC_ARG_NULLABLE;
	int ret;

	if (reg_is_null(reg))
		precision_need(walk, 1u << regno); /* another number would be refused */
	if (may_be_null(reg) && !is_nullable && !(arg->flags & KFUNC_ARG_OPTIONAL))
		return reject(walk, kfunc_null, index);
	ret = prove_reference(walk, kfunc, regno);
	if (ret || (is_nullable && reg_is_null(reg)))
		return ret;
	/* Of what kind a pointer's target is comes first, and whether it is trusted. */
	if (arg->kind != KFUNC_ARG_POINTER && reg->kind != REG_BTF)
		ret = kfunc_prove_offset(walk, index);
	return ret ? ret : prove_by_kind(walk, kfunc, index);
}

static int prove_one(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];
	u32 regno = kfunc_arg_reg(index);

	if (arg->kind == KFUNC_ARG_IGNORED || arg->kind == KFUNC_ARG_PROGRAM)
		return 0;
	if (arg->kind == KFUNC_ARG_SCALAR)
		return prove_scalar(walk, arg, regno);
	if (arg->kind == KFUNC_ARG_UNKNOWN)
		return reject(walk, kfunc_argument_type, index);
	return prove_pointer(walk, kfunc, index);
}

int kfunc_prove_arguments(struct walk *walk, const struct kfunc *kfunc)
{
	int ret = 0;

	for (u32 i = 0; i < kfunc->arg_cnt && !ret; i++)
		ret = prove_one(walk, kfunc, i);
	if (!ret && kfunc_has_flag(kfunc, KF_RELEASE) && !walk->call.released_ref)
		return reject(walk, kfunc_release, kfunc->name);
	return ret;
}
