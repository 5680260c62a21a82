// SPDX-License-Identifier: BSD-2-Clause
/* Objects in the values of hash maps: what becomes of them when the element changes or goes. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "check.h"

void *bpf_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;

#define new(type)    ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), 0))
#define drop(object) bpf_obj_drop_impl(object, 0)

struct plain {
	long a, b;
};

struct holder {
	long word;
	struct plain __kptr *object;
};

#define MAP(name, kind, entries)                       \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_##kind);     \
		__uint(max_entries, entries);          \
		__type(key, u32);                      \
		__type(value, struct holder);          \
	} name SEC(".maps")

MAP(hash, HASH, 8);
MAP(per_cpu, PERCPU_HASH, 8);
MAP(lru, LRU_HASH, 64);

long seen[64];

/* 1: there was an object, 0: there was none, negative: no element. */
static long put(void *map, u32 key, long number)
{
	struct holder *holder = bpf_map_lookup_elem(map, &key);
	struct plain *object, *old;

	if (!holder)
		return -ENOENT;
	object = new(struct plain);
	if (!object)
		return -ENOSPC;
	object->a = number;
	old = bpf_kptr_xchg(&holder->object, object);
	if (!old)
		return 0;
	number = old->a;
	drop(old);
	return 1000 + number;
}

static void change(void *map, int at)
{
	struct holder value = {.word = 7};
	u32 key = 1;

	seen[at & 63] = bpf_map_update_elem(map, &key, &value, BPF_ANY);
	seen[(at + 1) & 63] = put(map, key, 1);
	seen[(at + 2) & 63] = put(map, key, 2);
	seen[(at + 3) & 63] = bpf_map_update_elem(map, &key, &value, BPF_EXIST);
	seen[(at + 4) & 63] = put(map, key, 3);
	seen[(at + 5) & 63] = bpf_map_delete_elem(map, &key);
	seen[(at + 6) & 63] = put(map, key, 4);
	seen[(at + 7) & 63] = bpf_map_update_elem(map, &key, &value, BPF_NOEXIST);
	seen[(at + 8) & 63] = put(map, key, 5);
}

SEC("tc") int changed(struct __sk_buff *skb)
{
	change(&hash, 0);
	change(&per_cpu, 10);
	change(&lru, 20);
	return 0;
}

static long bad;

static int fill(u32 key, void *ctx)
{
	struct holder value = {};

	if (bpf_map_update_elem(&lru, &key, &value, BPF_ANY) || put(&lru, key, key))
		bad++;
	return 0;
}

/* Elements serve other keys: none brings the object of its last life. */
SEC("tc") int evicted(struct __sk_buff *skb)
{
	bpf_loop(2000, fill, 0, 0);
	seen[0] = bad;
	return 0;
}

char _license[] SEC("license") = "GPL";
