// SPDX-License-Identifier: BSD-2-Clause
/* Which programs may use which maps. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "verdict.h"

struct number {
	int value;
};

#define MAP(name, its_type, its_key, entries) \
	struct {                              \
		__uint(type, its_type);       \
		__uint(max_entries, entries); \
		__type(key, its_key);         \
		__type(value, struct number); \
	} name SEC(".maps")

MAP(hash, BPF_MAP_TYPE_HASH, int, 4);
MAP(array, BPF_MAP_TYPE_ARRAY, int, 4);
MAP(cgroups, BPF_MAP_TYPE_CGROUP_ARRAY, int, 4);
MAP(storage, BPF_MAP_TYPE_CGROUP_STORAGE, struct bpf_cgroup_storage_key, 0);
MAP(other_storage, BPF_MAP_TYPE_CGROUP_STORAGE, struct bpf_cgroup_storage_key, 0);
MAP(percpu_storage, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, struct bpf_cgroup_storage_key, 0);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, struct number);
} trie SEC(".maps");

static long see(void *map, const void *key, void *value, void *ctx)
{
	return 0;
}

SEC("socket")
ACCEPT int walks_a_hash_table(void *ctx)
{
	bpf_for_each_map_elem(&hash, see, NULL, 0);
	return 0;
}

SEC("socket")
REJECT("callback function not allowed for map") int walks_a_trie(void *ctx)
{
	bpf_for_each_map_elem(&trie, see, NULL, 0);
	return 0;
}

SEC("syscall")
ACCEPT int sleeps_with_an_array(void *ctx)
{
	int key = 0;

	return !!bpf_map_lookup_elem(&array, &key);
}

SEC("syscall")
REJECT("Sleepable programs can only use array, hash, ringbuf and local storage maps")
int sleeps_with_a_trie(void *ctx)
{
	__u64 key = 0;

	return !!bpf_map_lookup_elem(&trie, &key);
}

SEC("syscall")
REJECT("Sleepable programs can only use array, hash, ringbuf and local storage maps")
int sleeps_with_cgroups(void *ctx)
{
	return bpf_current_task_under_cgroup(&cgroups, 0);
}

SEC("cgroup_skb/egress")
ACCEPT int uses_storages_of_both_types(void *ctx)
{
	bpf_get_local_storage(&storage, 0);
	bpf_get_local_storage(&percpu_storage, 0);
	return 1;
}

SEC("cgroup_skb/egress")
REJECT("only one cgroup storage of each type is allowed")
int uses_two_storages(void *ctx)
{
	bpf_get_local_storage(&storage, 0);
	bpf_get_local_storage(&other_storage, 0);
	return 1;
}

char _license[] SEC("license") = "GPL";
