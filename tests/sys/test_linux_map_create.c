/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verify-only engine makes the maps that Linux makes, of every type, and refuses the others
 * with Linux's errno.
 */
#include "btf/btf.h"
#include "btf/view.h"
#include "catalog/map_type.h"
#include "sys/engine.h"
#include "tests/sys/map_types.h"

#define LARGE (1U << 20) /* bytes of all keys and values of one map */

/* A map of each type as it can be made; a difference to it at a time is tried. */
static union bpf_attr good_attr(u32 type, int types, int inner)
{
	const struct map_type_row *row = map_type_row(type);
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 4,
			       .map_flags = row ? row->required_flags : 0};

	switch (type) {
	case BPF_MAP_TYPE_STACK_TRACE:
	case BPF_MAP_TYPE_LPM_TRIE:
		attr.key_size = type == 7 ? 4 : 8;
		attr.value_size = 8;
		break;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS: attr.inner_map_fd = inner; break;
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		attr.key_size = 16;
		attr.max_entries = 0;
		break;
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_BLOOM_FILTER: attr.key_size = 0; break;
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case 32: /* BPF_MAP_TYPE_CGRP_STORAGE */
		attr.max_entries = 0;
		attr.btf_fd = types;
		attr.btf_key_type_id = attr.btf_value_type_id = INT;
		break;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		attr.key_size = attr.value_size = 0;
		attr.max_entries = 4096;
		break;
	case 33: /* BPF_MAP_TYPE_ARENA */ attr.key_size = attr.value_size = 0; break;
	}
	return attr;
}

static void try_map(struct world *world, union bpf_attr *attr)
{
	int fd = bpf(world, BPF_MAP_CREATE, attr);

	note(world, fd < 0 ? fd : 1, "%u: %u/%u*%u f%x x%llx t%u,%u v%u", attr->map_type,
	     attr->key_size, attr->value_size, attr->max_entries, attr->map_flags,
	     attr->map_extra, attr->btf_key_type_id, attr->btf_value_type_id,
	     attr->btf_vmlinux_value_type_id);
	if (fd >= 0)
		close(fd);
}

static void for_each_type(struct world *world,
			  void (*scenario)(struct world *world, const union bpf_attr *good))
{
	int types = load_types(world), inner;
	union bpf_attr attr = good_attr(BPF_MAP_TYPE_ARRAY, types, 0);

	assert_true(types >= 0);
	inner = bpf(world, BPF_MAP_CREATE, &attr);
	assert_true(inner >= 0);
	for (u32 type = 1; type <= map_type_last(); type++) {
		attr = good_attr(type, types, inner);
		try_map(world, &attr);
		attr.btf_fd = types;
		scenario(world, &attr);
	}
	close(inner);
	close(types);
}

static void each_size(struct world *world, const union bpf_attr *good)
{
	static const u32 keys[] = {0, 1, 4, 8, 16, 257, 512, 513};
	static const u32 values[] = {0,	   1,	 2,	4,     7,     8,     32,
				     1016, 1024, 32768, 32769, 65407, 65408, 5 << 20};
	static const u32 entries[] = {0, 1, 3, 4096};

	for (u32 k = 0; k < ARRAY_SIZE(keys); k++)
		for (u32 v = 0; v < ARRAY_SIZE(values); v++)
			for (u32 e = 0; e < ARRAY_SIZE(entries); e++) {
				union bpf_attr attr = *good;

				attr.key_size = keys[k];
				attr.value_size = values[v];
				attr.max_entries = entries[e];
				/* As many CPUs as Linux was built for is no contract. */
				if (attr.map_type == BPF_MAP_TYPE_CPUMAP && entries[e] > 1)
					continue;
				if (entries[e] < 2 || keys[k] + values[v] < LARGE / entries[e])
					try_map(world, &attr);
			}
}

static void each_flag(struct world *world, const union bpf_attr *good)
{
	static const u64 extras[] = {1,		 15,	     16,	  4096,
				     1ULL << 32, 1ULL << 44, ~0ULL << 12, (1ULL << 32) - 4096};

	for (u32 bit = 0; bit < 32; bit++) {
		union bpf_attr attr = *good;

		attr.map_flags ^= 1U << bit;
		try_map(world, &attr);
	}
	for (u32 i = 0; i < ARRAY_SIZE(extras); i++) {
		union bpf_attr attr = *good;

		attr.map_extra = extras[i];
		try_map(world, &attr);
	}
}

static void each_btf_type(struct world *world, const union bpf_attr *good)
{
	for (u32 key = 0; key <= TYPES; key++)
		for (u32 value = 0; value <= TYPES; value++) {
			union bpf_attr attr = *good;

			attr.btf_key_type_id = key;
			attr.btf_value_type_id = value;
			try_map(world, &attr);
			attr.key_size = attr.map_type == BPF_MAP_TYPE_CGROUP_STORAGE ? 8 : 16;
			attr.value_size = 16;
			try_map(world, &attr);
		}
}

static void each_template(struct world *world, const union bpf_attr *good)
{
	union bpf_attr inner = *good, outer = good_attr(BPF_MAP_TYPE_ARRAY_OF_MAPS, 0, 0);
	int fd;

	if (!good->btf_key_type_id)
		inner.btf_fd = 0;
	fd = bpf(world, BPF_MAP_CREATE, &inner);
	outer.inner_map_fd = fd;
	fd = bpf(world, BPF_MAP_CREATE, &outer);
	note(world, fd < 0 ? fd : 1, "type %u as a template", good->map_type);
	close(fd);
	close(outer.inner_map_fd);
}

static void sizes(struct world *world)
{
	for_each_type(world, each_size);
}

static void flags(struct world *world)
{
	for_each_type(world, each_flag);
}

static void btf_types(struct world *world)
{
	for_each_type(world, each_btf_type);
}

static void templates(struct world *world)
{
	for_each_type(world, each_template);
}

/* The kernel's types are the same in both worlds; read once. */
static const struct btf_view *kernel_types(void)
{
	static struct kernel_btf kernel;

	if (!kernel.was_read)
		kernel_btf_init(&kernel);
	return kernel_btf_view(&kernel);
}

static void operations(struct world *world)
{
	static const char *const names[] = {
		"bpf_struct_ops_tcp_congestion_ops",
		"bpf_struct_ops_bpf_dummy_ops",
		"bpf_struct_ops_common_value",
		"bpf_struct_ops_value",
		"tcp_congestion_ops",
		"task_struct",
	};
	const struct btf_view *kernel = kernel_types();
	int types = load_types(world);

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		for (u32 bit = 0; bit < 20; bit++) {
			u32 id = btf_find(kernel, names[i], BTF_KIND_STRUCT);
			union bpf_attr attr = {.map_type = BPF_MAP_TYPE_STRUCT_OPS,
					       .key_size = 4,
					       .value_size = id ? btf_size(kernel, id) : 8,
					       .max_entries = 1,
					       .btf_fd = types,
					       .map_flags = bit ? 1U << (bit - 1) : 0,
					       .btf_vmlinux_value_type_id = id};

			try_map(world, &attr);
			attr.value_size++;
			try_map(world, &attr);
			attr.max_entries++;
			try_map(world, &attr);
			attr.map_type = BPF_MAP_TYPE_ARRAY;
			try_map(world, &attr);
			attr.btf_fd = 0;
			try_map(world, &attr);
		}
	close(types);
}

static void compare(void (*scenario)(struct world *world))
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .verify_only = true};

	if (!linux_has_isa() || !kernel_types())
		skip();
	worlds_compare_with(scenario, &opts);
}

#define CREATION(name)                        \
	static void test_##name(void **state) \
	{                                     \
		compare(name);                \
	}

CREATION(sizes)
CREATION(flags)
CREATION(btf_types)
CREATION(templates)
CREATION(operations)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_flags),
		cmocka_unit_test(test_btf_types),  cmocka_unit_test(test_templates),
		cmocka_unit_test(test_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
