/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects as arguments of helpers: which types and how much trust a helper asks for. */
#include "verify/object.h"

bool object_fits(const struct reg_state *reg, const struct helper_arg *arg)
{
	u16 flags = reg->flags;

	if (arg->flags & ARG_OR_NULL)
		flags &= ~REG_MAY_BE_NULL;
	switch (arg->kind) {
	case ARG_BTF_ID: return !flags || flags == REG_TRUSTED || flags == REG_RCU;
	case ARG_BTF_ID_SOCK_COMMON: return !flags || flags == REG_TRUSTED;
	case ARG_PERCPU_BTF_ID:
		flags ^= REG_PERCPU;
		return !flags || flags == REG_TRUSTED || flags == REG_RCU;
	default: return flags == REG_TRUSTED; /* memory */
	}
}

static int prove_type(struct walk *walk, u32 regno, const char *name, bool is_strict)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	u32 want = walk_kernel_struct(walk, name);

	if (want && object_is(reg, walk_kernel(walk), want, is_strict))
		return 0;
	return reject(walk, arg_btf_type, regno, reg_type_name(reg), name);
}

int object_prove_argument(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	bool is_release = arg->flags & ARG_RELEASE;

	if (reg_may_be_null(reg) && is_release)
		return reject(walk, arg_maybe_null, regno);
	switch (arg->kind) {
	case ARG_BTF_ID:
		return arg->btf_type ? prove_type(walk, regno, arg->btf_type, is_release) : 0;
	case ARG_BTF_ID_SOCK_COMMON: /* released by any of the structures that begin with it */
		return prove_type(walk, regno, "sock_common", false);
	default: return 0;
	}
}

/* --- variables of the kernel --- */

/* What each CPU has its own of. */
static bool is_per_cpu(const struct btf_view *btf, u32 variable)
{
	u32 id = btf_find(btf, ".data..percpu", BTF_KIND_DATASEC);
	const struct btf_type *section = id ? btf_type(btf, id) : NULL;

	for (u32 i = 0; section && i < btf_vlen(section); i++)
		if (btf_var_secinfos(section)[i].type == variable)
			return true;
	return false;
}

/* Of a value of the type: an object, or memory that can be read. False: it has no size. */
static bool set_target(const struct btf_view *btf, u32 type_id, struct reg_state *out)
{
	u32 id = btf_resolve(btf, type_id);
	const struct btf_type *type = btf_type(btf, id);
	s64 size = id ? btf_size(btf, id) : -1;

	if (size < 0)
		return false;
	if (btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION) {
		reg_set_pointer(out, REG_BTF);
		out->btf = btf;
		out->type_id = id;
		return true;
	}
	reg_set_pointer(out, REG_MEM);
	out->flags = REG_READ_ONLY;
	out->mem_size = (u64)size;
	return true;
}

int object_load_variable(struct walk *walk, const struct bpf_insn *insn, struct reg_state *out)
{
	const struct btf_view *btf = walk_kernel(walk);
	u32 id = (u32)insn->imm;
	const struct btf_type *variable = btf && id ? btf_type(btf, id) : NULL;

	if (!btf)
		return reject(walk, variable_without_btf);
	if (insn[1].imm)
		return reject(walk, variable_module);
	if (!id)
		return reject(walk, variable_kind, id);
	if (!variable)
		return reject(walk, variable_missing, id);
	if (btf_kind(variable) == BTF_KIND_FUNC) {
		reg_set_pointer(out, REG_MEM); /* an address, and no bytes behind it */
		out->flags = REG_READ_ONLY;
		return 0;
	}
	if (btf_kind(variable) != BTF_KIND_VAR)
		return reject(walk, variable_kind, id);
	if (is_per_cpu(btf, id)) {
		reg_set_pointer(out, REG_BTF);
		out->flags = REG_PERCPU;
		out->btf = btf;
		out->type_id = btf_resolve(btf, variable->type);
		return 0;
	}
	if (set_target(btf, variable->type, out))
		return 0;
	return reject(walk, variable_size, btf_type_name(btf, btf_resolve(btf, variable->type)),
		      -ENOENT);
}

int object_prove_per_cpu(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	struct reg_state target;

	if (set_target(reg->btf, reg->type_id, &target))
		return 0;
	return reject(walk, variable_size, reg_type_name(reg), -ENOENT);
}

void object_set_this_cpu(const struct reg_state *per_cpu, struct reg_state *out)
{
	set_target(per_cpu->btf, per_cpu->type_id, out);
	if (out->kind == REG_BTF && per_cpu->flags & REG_RCU)
		out->flags = REG_ALLOCATED | REG_RCU; /* of an object that the program made */
}
