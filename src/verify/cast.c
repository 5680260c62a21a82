/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/cast.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Linux's list of contexts: one member per type of program for each side. */
#define CONTEXTS      "bpf_ctx_convert"
#define MEMBER_PREFIX "BPF_PROG_TYPE_"
#define MEMBER_SUFFIX "_kern"
#define MEMBER_SIZE   64

static bool is_structure(const struct btf_type *type)
{
	return type && (btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION);
}

/* bpf_rdonly_cast(object, type): a structure, or memory of any size. */
int cast_prove(struct walk *walk)
{
	u64 id = walk_reg(walk, BPF_REG_2)->number.bits.value;
	const struct btf_type *type = btf_type(walk_kernel(walk), (u32)id);

	if (!type || id != (u32)id)
		return reject(walk, cast_type_id, id);
	if (id && !is_structure(type))
		return reject(walk, cast_type);
	walk->call.object_type = (u32)id;
	return 0;
}

void cast_set_object(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result)
{
	reg_set_pointer(result, walk->call.object_type ? REG_BTF : REG_MEM);
	result->flags = REG_UNTRUSTED;
	if (!walk->call.object_type) {
		result->flags |= REG_READ_ONLY;
		return;
	}
	result->btf = kfunc->btf;
	result->type_id = walk->call.object_type;
}

/* --- the kernel's own context --- */

static void member_name(const struct walk *walk, char out[MEMBER_SIZE])
{
	int length = snprintf(out, MEMBER_SIZE, "%s%s%s", MEMBER_PREFIX, walk->row->name,
			      MEMBER_SUFFIX);

	for (int i = sizeof(MEMBER_PREFIX) - 1; i < length - (int)strlen(MEMBER_SUFFIX); i++)
		out[i] = (char)toupper(out[i]);
}

static u32 context_type(struct walk *walk)
{
	const struct btf_view *kernel = walk_kernel(walk);
	const struct btf_type *list = btf_type(kernel, walk_kernel_struct(walk, CONTEXTS));
	const struct btf_member *member = btf_members(list);
	char name[MEMBER_SIZE];

	member_name(walk, name);
	for (u32 i = 0; i < btf_vlen(list); i++)
		if (!strcmp(btf_string(kernel, member[i].name_off), name))
			return btf_resolve(kernel, member[i].type);
	return 0;
}

int cast_prove_context(struct walk *walk)
{
	u32 id = context_type(walk);

	if (id && !is_structure(btf_type(walk_kernel(walk), id)))
		return reject(walk, cast_context, id);
	return 0;
}

void cast_set_context(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result)
{
	u32 id = context_type(walk);

	if (!id) {
		reg_set_unknown(result);
		return;
	}
	reg_set_pointer(result, REG_BTF);
	result->btf = kfunc->btf;
	result->type_id = id;
	result->flags = REG_TRUSTED;
}
