/* SPDX-License-Identifier: BSD-2-Clause */
/* Pointer arguments of kernel functions that are objects of the kernel, or plain memory. */
#include "verify/helpers.h"
#include "verify/kfunc.h"
#include "verify/object.h"
#include "verify/precision.h"

#include <errno.h>
#include <string.h>

#define NESTING_MAX 3 /* structures in structures that count as plain numbers */

/* --- objects --- */

/* The kernel's structure that a register stands for; 0: none. */
static u32 object_type(struct walk *walk, const struct reg_state *reg)
{
	switch ((int)reg->kind) {
	case REG_BTF: return reg->type_id;
	case REG_SOCKET: return walk_kernel_struct(walk, "sock");
	case REG_SOCK_COMMON: return walk_kernel_struct(walk, "sock_common");
	case REG_TCP_SOCK: return walk_kernel_struct(walk, "tcp_sock");
	case REG_MAP: return walk_kernel_struct(walk, "bpf_map");
	default: return 0;
	}
}

static int prove_trusted(struct walk *walk, const struct kfunc *kfunc, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);

	if (reg_is_trusted(reg))
		return 0;
	if (kfunc_needs_trusted(kfunc))
		return reject(walk, kfunc_trusted, regno);
	if (!(reg->flags & REG_RCU))
		return reject(walk, kfunc_rcu, regno);
	return 0;
}

static const char *kind_word(const struct btf_view *btf, u32 id)
{
	return btf_kind_text(btf_kind(btf_type(btf, id)));
}

/* What user space calls so is the other to the kernel. */
static bool is_projection(const char *want, const char *have)
{
	return (!strcmp(want, "__sk_buff") && !strcmp(have, "sk_buff")) ||
	       (!strcmp(want, "xdp_md") && !strcmp(have, "xdp_buff"));
}

static int prove_object(struct walk *walk, const struct kfunc *kfunc, u32 index, u32 type_id)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];
	u32 regno = kfunc_arg_reg(index);
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct btf_view *btf = reg->kind == REG_BTF ? reg->btf : kfunc->btf;
	const char *have = btf_type_name(btf, type_id);
	const char *want = btf_type_name(kfunc->btf, arg->target_id);
	int ret = prove_trusted(walk, kfunc, regno);

	if (ret)
		return ret;
	if (object_type_is(btf, type_id, reg->off, kfunc->btf, arg->target_id,
			   kfunc_has_flag(kfunc, KF_RELEASE) && reg->ref_id) ||
	    is_projection(want, have))
		return 0;
	return reject(walk, kfunc_object, kfunc->name, index,
		      kind_word(kfunc->btf, arg->target_id), want, index + 1,
		      kind_word(btf, type_id), have);
}

/* --- memory --- */

static bool is_number(u32 kind)
{
	return kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

static bool is_structure(u32 kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

static bool is_plain_array(const struct btf_view *btf, const struct btf_array *array)
{
	return array->nelems &&
	       is_number(btf_kind(btf_type(btf, btf_resolve(btf, array->type))));
}

/* A structure of numbers and arrays of numbers. 0: it is not, -ELOOP: nested too deeply. */
static int is_plain(const struct btf_view *btf, u32 id, u32 depth)
{
	const struct btf_type *type = btf_type(btf, btf_resolve(btf, id));
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *inner = btf_type(btf, btf_resolve(btf, member[i].type));
		u32 kind = btf_kind(inner);
		int plain;

		if (is_number(kind) ||
		    (kind == BTF_KIND_ARRAY && is_plain_array(btf, btf_array(inner))))
			continue;
		if (!is_structure(kind))
			return 0;
		if (depth == NESTING_MAX)
			return -ELOOP;
		plain = is_plain(btf, member[i].type, depth + 1);
		if (plain <= 0)
			return plain;
	}
	return 1;
}

static int is_plain_memory(const struct btf_view *btf, u32 id)
{
	u32 kind = btf_kind(btf_type(btf, btf_resolve(btf, id)));

	if (is_number(kind))
		return 1;
	return is_structure(kind) ? is_plain(btf, id, 0) : 0;
}

bool kfunc_is_plain(const struct btf_view *btf, u32 type_id)
{
	return is_plain_memory(btf, type_id) > 0;
}

/* The register as it is where it is not NULL: what is asked of the memory holds for that. */
static int prove_bytes(struct walk *walk, u32 regno, u32 size)
{
	struct reg_state *reg = walk_reg(walk, regno);
	u16 flags = reg->flags;
	int ret;

	reg->flags &= ~REG_MAY_BE_NULL;
	ret = call_prove_memory(walk, regno, size, ACCESS_READ);
	ret = ret ? ret : call_prove_memory(walk, regno, size, ACCESS_WRITE);
	reg->flags = flags;
	return ret;
}

static int prove_sized(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	u32 regno = kfunc_arg_reg(index), size_reg = regno + 1;
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct reg_state *size = walk_reg(walk, size_reg);

	if (kfunc->arg[index + 1].flags & KFUNC_ARG_CONST_SIZE) {
		if (!reg_is_const(size))
			return reject(walk, kfunc_constant, size_reg);
		walk->call.memory_size = size->number.bits.value;
	}
	precision_need(walk, 1u << size_reg);
	if (kfunc->arg[index].flags & KFUNC_ARG_OPTIONAL && reg_is_null(reg))
		return 0;
	if (size->number.smin < 0)
		return reject(walk, size_negative, size_reg);
	if (size->number.umax >= POINTER_OFFSET_LIMIT)
		return reject(walk, size_unbounded, size_reg);
	return prove_bytes(walk, regno, (u32)size->number.umax);
}

static int prove_plain(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const struct kfunc_arg *arg = &kfunc->arg[index];
	const struct reg_state *next = walk_reg(walk, kfunc_arg_reg(index) + 1);
	bool has_size = index + 1 < kfunc->arg_cnt && kfunc_arg_is_size(arg + 1) &&
			next->kind == REG_SCALAR;
	int ret, plain = is_plain_memory(kfunc->btf, arg->target_id);
	s64 size;

	if (plain < 0)
		return reject(walk, kfunc_nesting);
	if (!plain && !(has_size && !arg->target_id))
		return reject(
			walk, kfunc_pointer_type, index, kind_word(kfunc->btf, arg->target_id),
			btf_type_name(kfunc->btf, arg->target_id), has_size ? "void, " : "");
	ret = kfunc_prove_offset(walk, index);
	if (ret)
		return ret;
	if (has_size)
		return prove_sized(walk, kfunc, index);
	size = btf_size(kfunc->btf, arg->target_id);
	if (size < 0)
		return reject(walk, kfunc_argument_type, index);
	if (reg_is_null(walk_reg(walk, kfunc_arg_reg(index))))
		return 0; /* where the function takes it */
	return prove_bytes(walk, kfunc_arg_reg(index), (u32)size);
}

/* A structure of the host's without members: nothing of the program's own is one. */
static bool is_opaque(const struct kfunc *kfunc, u32 type_id)
{
	const struct btf_type *type = btf_type(kfunc->btf, type_id);

	return kfunc->row->body && is_structure(btf_kind(type)) && !btf_vlen(type);
}

int kfunc_prove_pointer(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	const u32 target = kfunc->arg[index].target_id;
	u32 type_id = object_type(walk, walk_reg(walk, kfunc_arg_reg(index)));

	if (!type_id && is_opaque(kfunc, target))
		return reject(walk, kfunc_pointer_type, index, kind_word(kfunc->btf, target),
			      btf_type_name(kfunc->btf, target), "");
	return type_id ? prove_object(walk, kfunc, index, type_id)
		       : prove_plain(walk, kfunc, index);
}
