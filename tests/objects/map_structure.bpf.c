// SPDX-License-Identifier: BSD-2-Clause
/* A pointer to a map shows the structure that Linux keeps the map in. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

SEC("socket") ACCEPT CAP_BPF_REJECTS("'struct bpf_array' access is allowed only to CAP_PERFMON")
int number(void *ctx)
{
	struct bpf_map *map = (void *)&array;

	return map->max_entries;
}

SEC("socket") ACCEPT int number_in_parts(void *ctx)
{
	return *((char *)&array + __builtin_offsetof(struct bpf_map, max_entries) + 1);
}

SEC("socket") ACCEPT int through_member(void *ctx)
{
	struct bpf_map *map = (void *)&array;

	return map->ops && map->ops->map_alloc_check;
}

SEC("socket") ACCEPT int through_untyped(void *ctx)
{
	struct bpf_map *map = (void *)&array;
	__u64 *word = (void *)map->ops->map_alloc_check;

	return word[100];
}

SEC("socket") REJECT("only read from bpf_array is supported") NAKED int store(void)
{
	asm volatile("r1 = %[array] ll; r0 = 0; *(u64 *)(r1 + 0) = r0; exit;" ::[array] "i"(&array));
}

SEC("socket") REJECT("R1 is bpf_array invalid negative access: off=-8") NAKED int before(void)
{
	asm volatile("r1 = %[array] ll; r0 = *(u64 *)(r1 - 8); r0 = 0; exit;" ::[array] "i"(&array));
}

SEC("socket") REJECT("access beyond struct bpf_array at off 8000 size 1")
NAKED int beyond_structure(void)
{
	asm volatile("r1 = %[array] ll; r0 = *(u8 *)(r1 + 8000); r0 = 0; exit;" ::[array] "i"(&array));
}

char _license[] SEC("license") = "GPL";
