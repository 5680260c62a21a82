/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's BTF says of a kernel function: its arguments by their types and names. */
#include "catalog/host.h"
#include "verify/kfunc.h"
#include "verify/prototype.h"

#include <errno.h>
#include <string.h>

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length >= tail && !strcmp(name + length - tail, suffix);
}

/* --- by name --- */

static const struct {
	const char *suffix;
	u8 kind; /* KFUNC_ARG_UNKNOWN: the type says */
	u8 flag;
} suffixes[] = {
	{"__ign", KFUNC_ARG_IGNORED, 0},
	{"__prog", KFUNC_ARG_PROGRAM, 0},
	{"__alloc", KFUNC_ARG_ALLOCATED, 0},
	{"__refcounted_kptr", KFUNC_ARG_REFCOUNTED, 0},
	{"__str", KFUNC_ARG_STRING, 0},
	{"__map", KFUNC_ARG_MAP, 0},
	{"__irq_flag", KFUNC_ARG_IRQ_FLAG, 0},
	{"__nullable", KFUNC_ARG_UNKNOWN, KFUNC_ARG_NULLABLE},
	{"__opt", KFUNC_ARG_UNKNOWN, KFUNC_ARG_OPTIONAL},
	{"__k", KFUNC_ARG_UNKNOWN, KFUNC_ARG_CONSTANT},
	{"__sz", KFUNC_ARG_UNKNOWN, KFUNC_ARG_SIZE},
	{"__szk", KFUNC_ARG_UNKNOWN, KFUNC_ARG_CONST_SIZE},
	{"__uninit", KFUNC_ARG_UNKNOWN, KFUNC_ARG_UNINIT},
};

static void read_name(struct kfunc_arg *arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (!ends_with(arg->name, suffixes[i].suffix))
			continue;
		arg->flags |= suffixes[i].flag;
		if (suffixes[i].kind != KFUNC_ARG_UNKNOWN)
			arg->kind = suffixes[i].kind;
	}
}

/* --- by type --- */

/* Structures that mean something of their own wherever a pointer to them is an argument. */
static const struct {
	const char *name;
	u8 kind;
} meanings[] = {
	{"bpf_dynptr", KFUNC_ARG_DYNPTR},	   {"bpf_dynptr_kern", KFUNC_ARG_DYNPTR},
	{"bpf_list_head", KFUNC_ARG_LIST_HEAD},	   {"bpf_list_node", KFUNC_ARG_LIST_NODE},
	{"bpf_rb_root", KFUNC_ARG_RB_ROOT},	   {"bpf_rb_node", KFUNC_ARG_RB_NODE},
	{"bpf_wq", KFUNC_ARG_WORKQUEUE},	   {"bpf_task_work", KFUNC_ARG_TASK_WORK},
	{"bpf_res_spin_lock", KFUNC_ARG_RES_LOCK},
};

static bool is_scalar(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_INT || btf_kind(type) == BTF_KIND_ENUM ||
	       btf_kind(type) == BTF_KIND_ENUM64;
}

static u8 kind_of_target(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);
	const char *name = btf_type_name(btf, id);

	if (btf_kind(type) == BTF_KIND_FUNC_PROTO)
		return KFUNC_ARG_CALLBACK;
	if (btf_kind(type) != BTF_KIND_STRUCT)
		return KFUNC_ARG_POINTER;
	for (u32 i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(name, meanings[i].name))
			return meanings[i].kind;
	return KFUNC_ARG_POINTER;
}

static void read_type(const struct walk *walk, const struct kfunc *kfunc, struct kfunc_arg *arg)
{
	const struct btf_view *btf = kfunc->btf;
	const struct btf_type *type = btf_type(btf, btf_resolve(btf, arg->type_id));

	arg->kind = is_scalar(type) ? KFUNC_ARG_SCALAR : KFUNC_ARG_UNKNOWN;
	if (btf_kind(type) != BTF_KIND_PTR)
		return;
	arg->target_id = btf_resolve(btf, type->type);
	arg->kind = kind_of_target(btf, arg->target_id);
	if (param_is_context(walk->row, btf, btf_resolve(btf, arg->type_id)))
		arg->kind = KFUNC_ARG_CONTEXT;
}

/* The first argument of an iterator's functions, and iterators that are passed on. */
static bool is_iterator(const struct kfunc *kfunc, u32 index)
{
	u16 makes = KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY;

	return (kfunc->row && kfunc->row->flags & makes && index == 0) ||
	       ends_with(kfunc->arg[index].name, "__iter");
}

static void read_arguments(const struct walk *walk, struct kfunc *kfunc,
			   const struct btf_type *proto)
{
	const struct btf_param *param = btf_params(proto);

	for (u32 i = 0; i < kfunc->arg_cnt; i++) {
		struct kfunc_arg *arg = &kfunc->arg[i];

		arg->name = btf_string(kfunc->btf, param[i].name_off);
		arg->type_id = param[i].type;
		read_type(walk, kfunc, arg);
		read_name(arg);
		if (is_iterator(kfunc, i))
			arg->kind = KFUNC_ARG_ITERATOR;
		if (kfunc->row && kfunc->row->special == KFUNC_CAST_TO_KERN_CTX)
			arg->kind = KFUNC_ARG_CONTEXT;
	}
}

/* --- the call site --- */

/* Some kernels have a function of the name that programs may not call. What replaces a function
 * of another program may call what that one may. */
static bool is_callable(const struct walk *walk, const struct kfunc *kfunc)
{
	const struct verify_target *target = walk->input->target;
	u32 type = target ? target->verified->type : walk->input->type;
	u32 attach_type = target ? target->verified->attach_type : walk->input->attach_type;

	return kfunc->row && btf_has_tag(kfunc->btf, kfunc->id, "bpf_kfunc") &&
	       kfunc_is_allowed(kfunc->row, type, attach_type);
}

static const struct kfunc_row *row_of(const struct walk *walk, u32 id, const char *name)
{
	const struct host_function *function;

	if (!host_has_type(walk->input->host, id))
		return kfunc_row_by_name(name);
	function = host_function_by_type(walk->input->host, id);
	return function ? &function->row : NULL;
}

static int make(struct walk *walk, u32 id, const struct kfunc **out)
{
	const struct btf_view *btf = walk_kernel(walk);
	const struct btf_type *func = btf_type(btf, id), *proto;
	struct kfunc *kfunc;

	if (!func || btf_kind(func) != BTF_KIND_FUNC)
		return reject(walk, kfunc_not_function, id);
	proto = btf_type(btf, func->type);
	if (!proto || btf_kind(proto) != BTF_KIND_FUNC_PROTO || btf_vlen(proto) > KFUNC_ARGS)
		return reject(walk, kfunc_prototype, id);
	kfunc = arena_alloc(&walk->out->arena, sizeof(*kfunc));
	if (!kfunc)
		return -ENOMEM;
	*kfunc = (struct kfunc){
		.id = id,
		.name = btf_type_name(btf, id),
		.row = row_of(walk, id, btf_type_name(btf, id)),
		.btf = btf,
		.return_id = btf_resolve(btf, proto->type),
		.arg_cnt = btf_vlen(proto),
	};
	if (kfunc->row && (kfunc->row->flags & KF_DEVICE_BOUND) &&
	    !(walk->input->flags & VERIFY_DEVICE_BOUND))
		return reject(walk, kfunc_device_bound);
	if (!is_callable(walk, kfunc))
		kfunc->row = NULL;
	read_arguments(walk, kfunc, proto);
	*out = kfunc;
	return 0;
}

/* A function that another call site names, too. */
static const struct kfunc *find_resolved(const struct walk *walk, u32 id)
{
	for (u32 i = 0; i < walk->kfunc_cnt; i++)
		if (walk->kfuncs[i]->id == id)
			return walk->kfuncs[i];
	return NULL;
}

static int prove_module(struct walk *walk, s16 index)
{
	const struct verify_input *input = walk->input;
	int ret;

	if (index < 0)
		return reject(walk, kfunc_negative_module);
	ret = input->prove_module ? input->prove_module(input->cookie, (u16)index) : -EPROTO;
	if (!ret)
		return 0;
	if (ret == -EPROTO)
		return reject(walk, kfunc_no_fd_array);
	if (ret == -EBADF)
		return reject(walk, kfunc_module_fd);
	return reject(walk, kfunc_module, index);
}

/* The host's functions need no license. */
static bool needs_gpl(const struct walk *walk, const struct bpf_insn *insn)
{
	return !insn_is_host_helper(insn) && !host_has_type(walk->input->host, (u32)insn->imm);
}

/* The function that the instruction names: in a module by an offset, which only the host's is.
 * 0 without a rejection: a host's helper that there is not, refused where it is reached. */
static int find_function(struct walk *walk, const struct bpf_insn *insn, u32 *id)
{
	const struct verify_input *input = walk->input;
	const struct host_function *helper;
	int ret;

	*id = (u32)insn->imm;
	if (insn_is_host_helper(insn)) {
		helper = host_function_by_helper(input->host, (u32)insn->imm);
		*id = helper ? helper->btf_id : 0;
		return 0;
	}
	if (insn->off) {
		ret = prove_module(walk, insn->off);
		if (ret)
			return ret;
	}
	if (host_has_type(input->host, *id) != !!insn->off)
		return reject(walk, kfunc_not_function, *id);
	return 0;
}

int kfunc_resolve(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact)
{
	u32 id;
	int ret;

	if (!walk->rules.may_loop)
		return reject(walk, kfunc_rights);
	if (!walk_kernel(walk))
		return reject(walk, kfunc_no_types);
	if (!walk->input->gpl && needs_gpl(walk, insn))
		return reject(walk, kfunc_gpl);
	if (!insn->imm && !insn->off)
		return 0; /* a weak one that the kernel lacks: refused where it is reached */
	ret = find_function(walk, insn, &id);
	if (ret || !id)
		return ret;
	fact->operand = OPERAND_KFUNC;
	fact->kfunc = find_resolved(walk, id);
	if (fact->kfunc)
		return 0;
	if (walk->kfunc_cnt == KFUNCS_MAX)
		return reject(walk, too_many_kfuncs, KFUNCS_MAX);
	ret = make(walk, id, &fact->kfunc);
	if (!ret)
		walk->kfuncs[walk->kfunc_cnt++] = fact->kfunc;
	return ret;
}
