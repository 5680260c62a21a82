/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads through the pointer to a map itself: programs see the structure that Linux keeps it in.
 * skep keeps its maps otherwise, so that such a program has a verdict but cannot run here.
 */
#include "verify/object.h"

/* How Linux keeps maps of each type. */
static const char *const structures[] = {
	[BPF_MAP_TYPE_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_PROG_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_PERCPU_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_PERCPU_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_STACK_TRACE] = "bpf_stack_map",
	[BPF_MAP_TYPE_CGROUP_ARRAY] = "bpf_array",
	[BPF_MAP_TYPE_LRU_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = "bpf_htab",
	[BPF_MAP_TYPE_LPM_TRIE] = "lpm_trie",
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = "bpf_array",
	[BPF_MAP_TYPE_HASH_OF_MAPS] = "bpf_htab",
	[BPF_MAP_TYPE_DEVMAP] = "bpf_dtab",
	[BPF_MAP_TYPE_SOCKMAP] = "bpf_stab",
	[BPF_MAP_TYPE_CPUMAP] = "bpf_cpu_map",
	[BPF_MAP_TYPE_XSKMAP] = "xsk_map",
	[BPF_MAP_TYPE_SOCKHASH] = "bpf_shtab",
	[BPF_MAP_TYPE_CGROUP_STORAGE] = "bpf_cgroup_storage_map",
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = "reuseport_array",
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = "bpf_cgroup_storage_map",
	[BPF_MAP_TYPE_QUEUE] = "bpf_queue_stack",
	[BPF_MAP_TYPE_STACK] = "bpf_queue_stack",
	[BPF_MAP_TYPE_SK_STORAGE] = "bpf_local_storage_map",
	[BPF_MAP_TYPE_DEVMAP_HASH] = "bpf_dtab",
	[BPF_MAP_TYPE_STRUCT_OPS] = "bpf_struct_ops_map",
	[BPF_MAP_TYPE_RINGBUF] = "bpf_ringbuf_map",
	[BPF_MAP_TYPE_INODE_STORAGE] = "bpf_local_storage_map",
	[BPF_MAP_TYPE_TASK_STORAGE] = "bpf_local_storage_map",
	[BPF_MAP_TYPE_BLOOM_FILTER] = "bpf_bloom_filter",
	[BPF_MAP_TYPE_USER_RINGBUF] = "bpf_ringbuf_map",
	[BPF_MAP_TYPE_CGRP_STORAGE] = "bpf_local_storage_map",
	[BPF_MAP_TYPE_ARENA] = "bpf_arena",
};

int object_prove_map(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	u32 type = reg->map->type;
	const char *name = type < ARRAY_SIZE(structures) ? structures[type] : NULL;
	struct reg_state base = {.kind = REG_BTF};
	s32 off = reg->off + extent->off;
	struct object_place place = {
		.btf = walk_kernel(walk), .off = (u32)off, .size = (u32)extent->size};

	if (name)
		place.type_id = walk_kernel_struct(walk, name);
	if (!place.type_id)
		return reject(walk, map_unreadable, type);
	if (!walk->rules.may_leak)
		return reject(walk, object_rights, name);
	if (off < 0)
		return reject(walk, map_negative, extent->reg, name, off);
	if (extent->access & ACCESS_WRITE)
		return reject(walk, map_read_only, name);
	base.btf = place.btf;
	base.type_id = place.type_id;
	object_set_access(walk, extent, off);
	return object_prove_place(walk, &base, &place);
}
