/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/resolve.h"

#include "catalog/map_type.h"
#include "isa/isa.h"
#include "verify/kfunc.h"
#include "verify/object.h"
#include "verify/special.h"

#define MAPS_MAX   64
#define PAGE_BYTES 4096

static bool names_map(const struct bpf_insn *insn)
{
	return insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE ||
	       insn->src_reg == BPF_PSEUDO_MAP_IDX || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE;
}

static bool is_other_of_type(const struct verified *out, const struct map_desc *map)
{
	for (u32 i = 0; i < out->map_cnt; i++)
		if (out->maps[i] != map && out->maps[i]->type == map->type)
			return true;
	return false;
}

/* Whether programs of this kind may use maps of this type at all, or several of them. */
static int prove_map_type(struct walk *walk, const struct map_desc *map)
{
	bool is_one_of = map->type == BPF_MAP_TYPE_CGROUP_STORAGE ||
			 map->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;

	if (map->type == BPF_MAP_TYPE_STRUCT_OPS)
		return reject(walk, struct_ops_map);
	if ((walk->input->flags & VERIFY_SLEEPABLE) && !map_type_row(map->type)->for_sleepable)
		return reject(walk, sleepable_map);
	if (is_one_of && is_other_of_type(walk->out, map))
		return reject(walk, second_cgroup_storage);
	if (map->type == (u32)BPF_MAP_TYPE_ARENA && is_other_of_type(walk->out, map))
		return reject(walk, second_arena);
	if (map->type == (u32)BPF_MAP_TYPE_ARENA &&
	    !(walk->rules.may_loop && walk->rules.may_leak))
		return reject(walk, arena_rights);
	return 0;
}

static int note_map(struct walk *walk, const struct map_desc *map)
{
	struct verified *out = walk->out;

	for (u32 i = 0; i < out->map_cnt; i++)
		if (out->maps[i] == map)
			return 0;
	if (out->map_cnt == MAPS_MAX)
		return reject(walk, too_many_maps, MAPS_MAX);
	out->maps[out->map_cnt++] = map;
	return special_prove_map(walk, map) ?: prove_map_type(walk, map);
}

static int resolve_arena_address(struct walk *walk, struct insn_fact *fact, u32 off)
{
	const struct map_desc *arena = fact->map;

	if (off > (u64)arena->max_entries * PAGE_BYTES)
		return reject(walk, direct_value_range, arena->max_entries * PAGE_BYTES, off);
	insn_fact_set_imm64(fact, arena->user_start + off);
	return 0;
}

static int resolve_value(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact)
{
	u32 off = (u32)insn[1].imm;

	if (off >= POINTER_OFFSET_LIMIT)
		return reject(walk, direct_value_offset, off);
	if (fact->map->type == BPF_MAP_TYPE_ARENA)
		return resolve_arena_address(walk, fact, off);
	if (!fact->map->values)
		return reject(walk, direct_value_map);
	if (fact->map->max_entries != 1)
		return reject(walk, direct_value_many, fact->map->value_size, off);
	if (off >= fact->map->value_size)
		return reject(walk, direct_value_range, fact->map->value_size, off);
	insn_fact_set_imm64(fact, ptr_to_u64(fact->map->values) + off);
	return 0;
}

static int resolve_map(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact)
{
	bool is_index = insn->src_reg == BPF_PSEUDO_MAP_IDX ||
			insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE;
	bool is_value = insn->src_reg == BPF_PSEUDO_MAP_VALUE ||
			insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE;
	const struct map_desc *map = NULL;
	int ret = -EBADF;

	if (walk->input->map_by_fd)
		map = walk->input->map_by_fd(walk->input->cookie, insn->imm, is_index, &ret);
	if (!map && ret == -E2BIG)
		return reject(walk, too_many_maps, MAPS_MAX);
	if (!map) {
		reject(walk, map_fd, insn->imm);
		return ret; /* the resolver's: -EBADF, -EINVAL, -EPERM */
	}
	insn_fact_set_map(fact, map);
	ret = note_map(walk, map);
	if (ret || is_value)
		return ret ? ret : resolve_value(walk, insn, fact);
	insn_fact_set_imm64(fact, ptr_to_u64(map));
	return 0;
}

/* The address of a kernel's variable or function: only a kernel has it. */
static int resolve_variable(struct walk *walk, const struct bpf_insn *insn,
			    struct insn_fact *fact)
{
	struct reg_state unused;

	fact->mem = MEM_KERNEL;
	return object_load_variable(walk, insn, &unused);
}

static int resolve_wide(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact)
{
	if (names_map(insn))
		return resolve_map(walk, insn, fact);
	switch (insn->src_reg) {
	case 0:
		insn_fact_set_imm64(fact, (u64)(u32)insn->imm | (u64)(u32)insn[1].imm << 32);
		return 0;
	case BPF_PSEUDO_FUNC:
		fact->callee = (s16)cfg_subprog_at(&walk->cfg, walk->at + 1 + insn->imm);
		return 0;
	default: return resolve_variable(walk, insn, fact);
	}
}

static int resolve_kfunc(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact)
{
	struct subprog *subprog = &walk->cfg.subprogs[walk->cfg.subprog_of[walk->at]];
	int ret = kfunc_resolve(walk, insn, fact);
	const struct kfunc *kfunc = insn_fact_kfunc(fact);

	if (ret || subprog->throws || !kfunc || !kfunc->row ||
	    kfunc->row->special != KFUNC_THROW)
		return ret;
	subprog->throws = true;
	subprog->throws_at = walk->at;
	return 0;
}

int resolve_operands(struct walk *walk)
{
	struct verified *out = walk->out;

	out->maps = arena_array(&out->arena, MAPS_MAX, sizeof(*out->maps));
	if (!out->maps)
		return -ENOMEM;
	for (walk->at = 0; walk->at < walk->insn_cnt; walk->at++) {
		const struct bpf_insn *insn = walk_insn(walk);
		struct insn_fact *fact = &out->facts[walk->at];
		s64 target;
		int ret;

		fact->callee = -1;
		if (insn_is_subprog_call(insn, walk->at, &target))
			fact->callee = (s16)cfg_subprog_at(&walk->cfg, (u32)target);
		ret = insn_is_kfunc_call(insn) ? resolve_kfunc(walk, insn, fact) : 0;
		if (!ret && insn_is_wide(insn))
			ret = resolve_wide(walk, insn, fact);
		if (ret)
			return ret;
		if (!insn_is_wide(insn))
			continue;
		walk->at++; /* the second half */
		out->facts[walk->at].callee = -1;
	}
	return 0;
}
