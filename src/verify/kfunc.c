/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of kernel functions: whether the program may call it here, and what is known after it.
 */
#include "verify/kfunc.h"

#include "catalog/host.h"
#include "verify/callback.h"
#include "verify/cast.h"
#include "verify/exception.h"
#include "verify/facts.h"
#include "verify/helpers.h"
#include "verify/own.h"
#include "verify/sections.h"
#include "verify/stack_object.h"

#include <skep/skep.h>
#include <string.h>

/* --- whether it may be called --- */

static int prove_allowed(struct walk *walk, const struct kfunc *kfunc)
{
	if (!kfunc && insn_is_host_helper(walk_insn(walk)))
		return reject(walk, helper_unknown, "unknown", walk_insn(walk)->imm);
	if (!kfunc)
		return reject(walk, kfunc_left_over);
	if (!kfunc->row)
		return reject(walk, kfunc_not_allowed, kfunc->name);
	if (!kfunc->row->body && walk->input->has_kfunc && !walk->input->has_kfunc(kfunc->name))
		return reject(walk, kfunc_missing, kfunc->name);
	if (kfunc_has_flag(kfunc, KF_DESTRUCTIVE) && !(walk->input->rights & SKEP_RIGHT_ADMIN))
		return reject(walk, kfunc_destructive);
	if (kfunc_has_flag(kfunc, KF_SLEEPABLE) && !walk_may_sleep(walk))
		return reject(walk, kfunc_sleeps, kfunc->name);
	return 0;
}

/* Few functions may be called under a lock. */
static bool may_run_locked(const struct kfunc *kfunc)
{
	u8 special = kfunc->row->special;

	return special == KFUNC_ITER_NUM || special == KFUNC_REFCOUNT_ACQUIRE ||
	       (special >= KFUNC_LIST_PUSH_FRONT && special <= KFUNC_RBTREE_RIGHT) ||
	       (special >= KFUNC_RES_SPIN_LOCK &&
		special <= KFUNC_RES_SPIN_UNLOCK_IRQRESTORE) ||
	       (special >= KFUNC_ARENA_ALLOC_PAGES && special <= KFUNC_ARENA_RESERVE_PAGES);
}

/* What the flags and types of the arguments do not say. */
static int prove_special(struct walk *walk, const struct kfunc *kfunc)
{
	switch (kfunc->row->special) {
	case KFUNC_OBJ_NEW:
	case KFUNC_PERCPU_OBJ_NEW: return own_prove_new(walk, kfunc);
	case KFUNC_RDONLY_CAST: return cast_prove(walk);
	case KFUNC_CAST_TO_KERN_CTX: return cast_prove_context(walk);
	case KFUNC_THROW: return exception_prove_throw(walk);
	default: return 0;
	}
}

int prove_kfunc(struct walk *walk)
{
	const struct kfunc *kfunc = insn_fact_kfunc(&walk->out->facts[walk->at]);
	int ret;

	memset(&walk->call, 0, sizeof(walk->call));
	if (state_lock(&walk->state) && (!kfunc || !kfunc->row || !may_run_locked(kfunc)))
		return reject(walk, call_under_lock);
	ret = prove_allowed(walk, kfunc);
	ret = ret ? ret : kfunc_prove_arguments(walk, kfunc);
	if (!ret && kfunc->row->special == KFUNC_TRAP)
		return reject(walk, kfunc_trap);
	ret = ret ? ret : section_prove_kfunc(walk, kfunc);
	return ret ? ret : prove_special(walk, kfunc);
}

/* --- what is known after it --- */

static void set_object(struct walk *walk, const struct kfunc *kfunc, u32 type_id,
		       struct reg_state *result)
{
	reg_set_pointer(result, REG_BTF);
	result->btf = kfunc->btf;
	result->type_id = type_id;
	if (kfunc->row->special == KFUNC_GET_KMEM_CACHE)
		result->flags |= REG_UNTRUSTED;
	else if (kfunc_has_flag(kfunc, KF_RCU_PROTECTED))
		result->flags |= REG_RCU;
}

/* Memory of the size of what the result points to, or of the size that an argument gave. */
static int set_memory(struct walk *walk, const struct kfunc *kfunc, u32 type_id,
		      struct reg_state *result)
{
	s64 size = btf_size(kfunc->btf, type_id);
	struct strbuf text;

	if (!walk->call.memory_size && size <= 0) {
		int ret;

		strbuf_init(&text);
		btf_print_type(kfunc->btf, type_id, &text);
		ret = reject(walk, kfunc_result_type, kfunc->name, strbuf_text(&text));
		strbuf_done(&text);
		return ret;
	}
	reg_set_pointer(result, REG_MEM);
	result->mem_size = walk->call.memory_size ? walk->call.memory_size : (u64)size;
	if (!walk->call.memory_size || walk->call.is_memory_read_only)
		result->flags |= REG_READ_ONLY;
	result->ref_id = walk->call.ref_id;
	return 0;
}

/* A part of a dynptr: it lives as long as the dynptr's reference, and where it is of a packet,
 * as the packet stays as it is. Writing over the dynptr does not end it. */
static int set_slice(struct walk *walk, const struct kfunc *kfunc)
{
	struct reg_state *result = walk_reg(walk, BPF_REG_0);
	const struct reg_state *dynptr = &walk->call.dynptr;

	if (kfunc->row->special == KFUNC_DYNPTR_SLICE_RDWR && !walk->row->may_write_packet)
		return reject(walk, slice_read_only);
	reg_set_pointer(result, REG_MEM);
	result->sub = dynptr->sub;
	result->mem_size = walk->call.memory_size;
	result->ref_id = dynptr->ref_id;
	result->flags = REG_MAY_BE_NULL;
	if (kfunc->row->special == KFUNC_DYNPTR_SLICE)
		result->flags |= REG_READ_ONLY;
	result->id = walk_new_id(walk);
	return 0;
}

static bool is_graph_node(const struct btf_view *btf, u32 type_id)
{
	const char *name = btf_type_name(btf, type_id);

	return !strcmp(name, "bpf_list_node") || !strcmp(name, "bpf_rb_node");
}

/* What a function that is declared to return void * really gives. False: nothing special. */
static bool set_untyped(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result)
{
	switch (kfunc->row->special) {
	case KFUNC_OBJ_NEW:
	case KFUNC_PERCPU_OBJ_NEW:
	case KFUNC_REFCOUNT_ACQUIRE: own_set_new(walk, kfunc, result); return true;
	case KFUNC_CAST_TO_KERN_CTX: cast_set_context(walk, kfunc, result); return true;
	case KFUNC_RDONLY_CAST: cast_set_object(walk, kfunc, result); return true;
	default: return false;
	}
}

/* Whoever has a reference can always have one more. */
static bool may_give_null(const struct walk *walk, const struct kfunc *kfunc)
{
	return kfunc_has_flag(kfunc, KF_RET_NULL) && !walk->call.is_owned;
}

/* What a function that is declared to return a pointer to this type gives. */
static int set_typed(struct walk *walk, const struct kfunc *kfunc, u32 target,
		     struct reg_state *result)
{
	u32 kind = btf_kind(btf_type(kfunc->btf, target));

	if (is_graph_node(kfunc->btf, target))
		graph_set_result(walk, result);
	else if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
		set_object(walk, kfunc, target, result);
	else
		return set_memory(walk, kfunc, target, result);
	return 0;
}

static int set_pointer(struct walk *walk, const struct kfunc *kfunc,
		       const struct btf_type *pointer)
{
	struct reg_state *result = walk_reg(walk, BPF_REG_0);
	u32 target = btf_resolve(kfunc->btf, pointer->type);
	int ret;

	if (kfunc->row->special == KFUNC_DYNPTR_SLICE ||
	    kfunc->row->special == KFUNC_DYNPTR_SLICE_RDWR)
		return set_slice(walk, kfunc);
	if (!target && !set_untyped(walk, kfunc, result)) {
		reg_set_unknown(result);
		return 0;
	}
	ret = target ? set_typed(walk, kfunc, target, result) : 0;
	if (ret)
		return ret;
	if (may_give_null(walk, kfunc)) {
		result->flags |= REG_MAY_BE_NULL;
		result->id = walk_new_id(walk);
	}
	if (!kfunc_has_flag(kfunc, KF_ACQUIRE)) {
		if (target && is_graph_node(kfunc->btf, target))
			graph_borrow(walk, result);
		return 0;
	}
	/* Of its own: where it may be NULL, Linux has given it one before. */
	result->id = walk_new_id(walk);
	result->ref_id = result->id;
	if (!state_acquire(&walk->state,
			   (struct resource){.id = result->ref_id, .insn = walk->at}))
		return reject(walk, too_many_references, RESOURCES_MAX);
	return 0;
}

static int set_result(struct walk *walk, const struct kfunc *kfunc)
{
	const struct btf_type *type = btf_type(kfunc->btf, kfunc->return_id);
	struct reg_state *result = walk_reg(walk, BPF_REG_0);

	if (!kfunc->return_id)
		reg_set_not_init(result);
	else if (btf_kind(type) == BTF_KIND_PTR)
		return set_pointer(walk, kfunc, type);
	else if (kfunc->row->special == KFUNC_RES_SPIN_LOCK ||
		 kfunc->row->special == KFUNC_RES_SPIN_LOCK_IRQSAVE)
		reg_set_const(result, 0); /* the path where it fails was put off */
	else
		reg_set_scalar(result, scalar_unknown());
	return 0;
}

static enum dynptr_kind dynptr_made(const struct kfunc *kfunc)
{
	switch (kfunc->row->special) {
	case KFUNC_DYNPTR_FROM_SKB: return DYNPTR_SKB;
	case KFUNC_DYNPTR_FROM_SKB_META: return DYNPTR_SKB_META;
	case KFUNC_DYNPTR_FROM_XDP: return DYNPTR_XDP;
	default: return DYNPTR_NONE;
	}
}

static int transfer_dynptr(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	if (!(kfunc->arg[index].flags & KFUNC_ARG_UNINIT))
		return 0;
	if (kfunc->row->special == KFUNC_DYNPTR_CLONE)
		return dynptr_clone(walk, kfunc_arg_reg(index));
	return dynptr_make(walk, kfunc_arg_reg(index), dynptr_made(kfunc));
}

/* What becomes of objects on the stack. */
static int transfer_objects(struct walk *walk, const struct kfunc *kfunc)
{
	int ret = 0;

	for (u32 i = 0; i < kfunc->arg_cnt && !ret; i++) {
		if (kfunc->arg[i].kind == KFUNC_ARG_ITERATOR)
			ret = iterator_transfer(walk, kfunc, i);
		else if (kfunc->arg[i].kind == KFUNC_ARG_IRQ_FLAG)
			ret = irq_flag_transfer(walk, kfunc, i);
		else if (kfunc->arg[i].kind == KFUNC_ARG_RES_LOCK)
			ret = res_lock_transfer(walk, kfunc, i);
		else if (kfunc->arg[i].kind == KFUNC_ARG_DYNPTR)
			ret = transfer_dynptr(walk, kfunc, i);
	}
	return ret;
}

static int transfer_callback(struct walk *walk, const struct kfunc *kfunc)
{
	switch (kfunc->row->special) {
	case KFUNC_RBTREE_ADD: return callback_put_off_less(walk);
	case KFUNC_WQ_SET_CALLBACK:
		return callback_put_off_later(walk, walk->call.map, CALLBACK_WORK);
	case KFUNC_TASK_WORK_SCHEDULE:
		return callback_put_off_later(walk, walk->call.map, CALLBACK_TASK);
	default: return 0;
	}
}

/* The list or tree owns the node from here on. */
static bool gives_away(const struct kfunc *kfunc)
{
	return kfunc->row->special == KFUNC_LIST_PUSH_FRONT ||
	       kfunc->row->special == KFUNC_LIST_PUSH_BACK ||
	       kfunc->row->special == KFUNC_RBTREE_ADD;
}

int transfer_kfunc(struct walk *walk)
{
	const struct kfunc *kfunc = insn_fact_kfunc(&walk->out->facts[walk->at]);
	int ret;

	if (kfunc->row->special == KFUNC_THROW) {
		walk->path_ends = true;
		return 0;
	}
	call_write_memory(walk);
	ret = transfer_objects(walk, kfunc);
	if (ret)
		return ret;
	section_transfer_kfunc(walk, kfunc);
	ret = transfer_callback(walk, kfunc);
	if (ret)
		return ret;
	if (gives_away(kfunc))
		graph_give_away(walk, walk->call.ref_id);
	if (walk->call.released_ref)
		call_forget_reference(walk, walk->call.released_ref);
	for (u32 i = BPF_REG_1; i <= BPF_REG_5; i++)
		reg_set_not_init(walk_reg(walk, i));
	if (kfunc->row->special == KFUNC_XDP_PULL_DATA)
		call_change_packet(walk);
	ret = set_result(walk, kfunc);
	return ret || !walk->call.iterator ? ret : iterator_branch(walk);
}
