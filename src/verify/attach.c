/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds what a program attaches to by BTF, by attach type, and whether it may. */
#include "verify/attach.h"

#include "catalog/host.h"
#include "catalog/lsm.h"
#include "catalog/struct_ops.h"
#include "catalog/tracing.h"
#include "verify/extension.h"

#include <stdio.h>
#include <string.h>

#define FUNCTION_NAME_MAX 128

static const char tracepoint_prefix[] = "btf_trace_";
static const char iterator_prefix[] = "bpf_iter_";

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/* --- sleepable programs --- */

static bool may_be_sleepable(const struct verify_input *input)
{
	switch ((u32)input->type) {
	case BPF_PROG_TYPE_TRACING:
		return input->attach_type == BPF_TRACE_FENTRY ||
		       input->attach_type == BPF_TRACE_FEXIT ||
		       input->attach_type == BPF_MODIFY_RETURN ||
		       input->attach_type == BPF_TRACE_ITER;
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_STRUCT_OPS: return true;
	default: return false;
	}
}

static int check_sleepable(struct walk *walk)
{
	bool sleeps = walk->input->flags & VERIFY_SLEEPABLE;

	if (walk->input->type == BPF_PROG_TYPE_SYSCALL)
		return sleeps ? 0 : reject(walk, syscall_must_sleep);
	if (sleeps && !may_be_sleepable(walk->input))
		return reject(walk, cannot_sleep);
	return 0;
}

/* --- types --- */

static const struct btf_type *type_of_kind(const struct btf_view *btf, u32 id, u32 kind)
{
	const struct btf_type *type = btf_type(btf, id);

	return id && type && btf_kind(type) == kind ? type : NULL;
}

/* The prototype of the function that the type points to; NULL: it does not. */
static const struct btf_type *pointed_proto(const struct btf_view *btf, u32 id)
{
	const struct btf_type *pointer = type_of_kind(btf, btf_resolve(btf, id), BTF_KIND_PTR);

	if (!pointer)
		return NULL;
	return type_of_kind(btf, btf_resolve(btf, pointer->type), BTF_KIND_FUNC_PROTO);
}

/* --- tracepoints --- */

/*
 * The prototype of a tracepoint is that of the function that calls its programs; where events
 * share one, its name is not the event's, and the pointer type says as much, without the names
 * of arguments.
 */
static int find_tracepoint(struct walk *walk, u32 id)
{
	struct attach *attach = &walk->attach;
	const struct btf_type *type = type_of_kind(attach->btf, id, BTF_KIND_TYPEDEF);
	char function[FUNCTION_NAME_MAX];
	u32 func_id;

	if (!type)
		return reject(walk, attach_no_typedef, id);
	if (!has_prefix(attach->name, tracepoint_prefix))
		return reject(walk, attach_wrong_name, id, attach->name);
	attach->name += strlen(tracepoint_prefix);
	attach->skipped = 1; /* void *__data */
	snprintf(function, sizeof(function), "__bpf_trace_%s", attach->name);
	func_id = btf_find(attach->btf, function, BTF_KIND_FUNC);
	attach->proto =
		func_id ? type_of_kind(attach->btf, btf_type(attach->btf, func_id)->type,
				       BTF_KIND_FUNC_PROTO)
			: pointed_proto(attach->btf, type->type);
	return attach->proto ? 0 : reject(walk, attach_unknown, attach->name);
}

/* --- functions --- */

static int find_function(struct walk *walk, u32 id)
{
	struct attach *attach = &walk->attach;
	const struct btf_type *type = type_of_kind(attach->btf, id, BTF_KIND_FUNC);

	if (!type)
		return reject(walk, attach_no_function, id);
	attach->proto = type_of_kind(attach->btf, type->type, BTF_KIND_FUNC_PROTO);
	return attach->proto ? 0 : reject(walk, attach_unknown, attach->name);
}

static int find_iterator(struct walk *walk, u32 id)
{
	struct attach *attach = &walk->attach;
	int ret = find_function(walk, id);

	if (ret)
		return ret;
	if (!has_prefix(attach->name, iterator_prefix) ||
	    !iterator_since(attach->name + strlen(iterator_prefix)))
		return reject(walk, attach_unknown, attach->name);
	return 0;
}

static int check_hook(struct walk *walk, u32 id)
{
	const struct attach *attach = &walk->attach;
	u32 flags = lsm_hook_flags(attach->name);

	if (walk->input->flags & VERIFY_SLEEPABLE && !(flags & LSM_SLEEPABLE))
		return reject(walk, attach_no_sleep, attach->name);
	if (flags & LSM_DISABLED)
		return reject(walk, attach_disabled_hook, id, attach->name);
	if (flags & LSM_NO_HOOK)
		return reject(walk, attach_wrong_name, id, attach->name);
	if (!walk->input->gpl)
		return reject(walk, lsm_gpl);
	return 0;
}

static int check_traced(struct walk *walk)
{
	const struct attach *attach = &walk->attach;
	u32 flags = function_flags(attach->name);

	if (walk->input->flags & VERIFY_SLEEPABLE) {
		if (!(flags & FUNCTION_MAY_SLEEP))
			return reject(walk, attach_no_sleep, attach->name);
	} else if (walk->input->attach_type == BPF_MODIFY_RETURN &&
		   !(flags & FUNCTION_MODIFIABLE)) {
		return reject(walk, attach_not_modifiable, attach->name);
	}
	if (flags & FUNCTION_NO_TRACING)
		return reject(walk, attach_denied, attach->name);
	if (flags & FUNCTION_NO_RETURN && walk->input->attach_type != BPF_TRACE_FENTRY)
		return reject(walk, attach_no_return, attach->name);
	return 0;
}

/* What returns a number is asked for it, what returns nothing is told. */
static int check_host_hook(struct walk *walk)
{
	const struct attach *attach = &walk->attach;
	const u32 wanted = attach->host_hook->has_result ? BPF_MODIFY_RETURN : BPF_TRACE_FENTRY;

	if (walk->input->flags & VERIFY_SLEEPABLE)
		return reject(walk, attach_no_sleep, attach->name);
	if (walk->input->type != BPF_PROG_TYPE_TRACING || walk->input->attach_type != wanted)
		return reject(walk, attach_host_hook, attach->name,
			      attach->host_hook->has_result ? "fmod_ret" : "fentry");
	return 0;
}

/* Tracing and security programs: what attach_btf_id means depends on the attach type. */
static int find_target(struct walk *walk)
{
	struct attach *attach = &walk->attach;
	u32 id = walk->input->attach_btf_id;
	int ret;

	if (!id)
		return reject(walk, attach_missing);
	if (!attach->btf)
		return reject(walk, attach_without_btf);
	if (!btf_type(attach->btf, id))
		return reject(walk, attach_no_type, id);
	attach->name = btf_type_name(attach->btf, id);
	if (!attach->name[0])
		return reject(walk, attach_no_name, id);
	if (walk->input->attach_type == BPF_TRACE_RAW_TP)
		return find_tracepoint(walk, id);
	if (walk->input->attach_type == BPF_TRACE_ITER)
		return find_iterator(walk, id);
	ret = find_function(walk, id);
	if (ret)
		return ret;
	attach->host_hook = host_hook_by_type(walk->input->host, id);
	if (attach->host_hook)
		return check_host_hook(walk);
	if (host_has_type(walk->input->host, id))
		return reject(walk, attach_denied, attach->name);
	return walk->input->type == BPF_PROG_TYPE_LSM ? check_hook(walk, id)
						      : check_traced(walk);
}

/* --- functions of structures --- */

/* The function in the kernel that stands for a member tells more by its arguments' names. */
static const struct btf_type *stub_proto(const struct attach *attach)
{
	char name[FUNCTION_NAME_MAX];
	u32 id;

	snprintf(name, sizeof(name), "%s__%s", attach->ops->name, attach->name);
	id = btf_find(attach->btf, name, BTF_KIND_FUNC);
	return id ? type_of_kind(attach->btf, btf_type(attach->btf, id)->type,
				 BTF_KIND_FUNC_PROTO)
		  : NULL;
}

static u64 referenced_arguments(const struct attach *attach)
{
	u64 refs = 0;

	for (u32 i = 0; attach->stub && i < btf_vlen(attach->stub); i++) {
		const char *name =
			btf_string(attach->btf, btf_params(attach->stub)[i].name_off);
		size_t length = strlen(name), tail = strlen("__ref");

		if (length >= tail && !strcmp(name + length - tail, "__ref"))
			refs |= 1ull << i;
	}
	return refs;
}

/* The next program would not know that it has to give the arguments back. */
static int check_tail_calls(struct walk *walk)
{
	for (u32 i = 0; i < walk->insn_cnt; i++) {
		const struct helper_row *helper = insn_helper(&walk->insns[i]);

		if (helper && helper->id == BPF_FUNC_tail_call)
			return reject(walk, ops_tail_call);
	}
	return 0;
}

int attach_enter(struct walk *walk)
{
	for (u64 refs = walk->attach.refs; refs; refs &= refs - 1) {
		u32 id = walk_new_id(walk);

		if (!walk->attach.ref_id)
			walk->attach.ref_id = id;
		if (!state_acquire(&walk->state, (struct resource){.id = id}))
			return reject(walk, too_many_references, RESOURCES_MAX);
	}
	return 0;
}

static int find_member(struct walk *walk, const struct btf_type *type)
{
	struct attach *attach = &walk->attach;
	const struct btf_member *member;
	u32 index = walk->input->attach_type, flags;

	if (index >= btf_vlen(type))
		return reject(walk, ops_index, index, attach->ops->name);
	member = &btf_members(type)[index];
	attach->name = btf_string(attach->btf, member->name_off);
	attach->proto = pointed_proto(attach->btf, member->type);
	if (!attach->proto)
		return reject(walk, ops_no_function, attach->name, index, attach->ops->name);
	flags = struct_ops_member_flags(attach->ops, attach->name);
	if (flags & STRUCT_OPS_UNSUPPORTED)
		return reject(walk, ops_unsupported, attach->name, attach->ops->name);
	if (walk->input->flags & VERIFY_SLEEPABLE && !(flags & STRUCT_OPS_SLEEPABLE))
		return reject(walk, ops_sleepable, attach->name, attach->ops->name);
	attach->stub = stub_proto(attach);
	attach->refs = referenced_arguments(attach);
	return attach->refs ? check_tail_calls(walk) : 0;
}

/* A kernel that was built without it has the structure all the same. */
static bool is_registered(const struct attach *attach)
{
	char name[FUNCTION_NAME_MAX];

	snprintf(name, sizeof(name), "bpf_struct_ops_%s", attach->ops->name);
	return btf_find(attach->btf, name, BTF_KIND_STRUCT);
}

static int find_ops(struct walk *walk)
{
	struct attach *attach = &walk->attach;
	u32 id = walk->input->attach_btf_id;
	const struct btf_type *type;

	if (!walk->input->gpl)
		return reject(walk, ops_gpl);
	if (!id || !attach->btf)
		return reject(walk, ops_unknown, id);
	type = type_of_kind(attach->btf, id, BTF_KIND_STRUCT);
	attach->ops = type ? struct_ops_row(btf_type_name(attach->btf, id)) : NULL;
	if (!attach->ops || !is_registered(attach))
		return reject(walk, ops_unknown, id);
	return find_member(walk, type);
}

int attach_find(struct walk *walk)
{
	switch ((u32)walk->input->type) {
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM: walk->attach.btf = walk_kernel(walk); return find_target(walk);
	case BPF_PROG_TYPE_STRUCT_OPS:
		walk->attach.btf = walk_kernel(walk);
		return find_ops(walk);
	default: return 0;
	}
}

int attach_resolve(struct walk *walk)
{
	int ret = check_sleepable(walk);

	if (ret)
		return ret;
	return walk->input->type == BPF_PROG_TYPE_EXT ? extension_resolve(walk)
						      : attach_find(walk);
}
