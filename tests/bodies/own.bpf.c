// SPDX-License-Identifier: BSD-2-Clause
/* Objects of the program's own types: lists, trees, counts, pointers in values. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "check.h"

#define private(name)	   SEC(".bss." #name) __hidden __attribute__((aligned(8)))
#define __contains(t, n) __attribute__((btf_decl_tag("contains:" #t ":" #n)))

void *bpf_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;
void *bpf_percpu_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, u64 off) __ksym;
int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, u64 off) __ksym;
struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head) __ksym;
struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
struct bpf_list_node *bpf_list_back(struct bpf_list_head *head) __ksym;
int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			bool (less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, u64 off) __ksym;
struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define new(type)	   ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), 0))
#define drop(object)	   bpf_obj_drop_impl(object, 0)
#define container(p, t, m) ((t *)((void *)(p) - __builtin_offsetof(t, m)))

struct item {
	long key;
	struct bpf_list_node in_list;
	struct bpf_rb_node in_tree;
	struct bpf_refcount refs;
};

struct plain {
	long a, b;
};

struct slot {
	struct plain __kptr *object;
	struct plain __percpu_kptr *each;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

long seen[64];
private(A) struct bpf_spin_lock lock;
private(A) struct bpf_list_head list __contains(item, in_list);
private(A) struct bpf_rb_root tree __contains(item, in_tree);

SEC("tc") int list_order(struct __sk_buff *skb)
{
	struct bpf_list_node *node;
	struct item *item;
	int at = 0;

	for (int i = 0; i < 6; i++) {
		item = new(struct item);
		if (!item)
			return __LINE__;
		item->key = i;
		bpf_spin_lock(&lock);
		if (i & 1)
			bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
		else
			bpf_list_push_back_impl(&list, &item->in_list, 0, 0);
		bpf_spin_unlock(&lock);
	}
	bpf_spin_lock(&lock);
	node = bpf_list_front(&list);
	if (node)
		seen[20] = container(node, struct item, in_list)->key;
	node = bpf_list_back(&list);
	if (node)
		seen[21] = container(node, struct item, in_list)->key;
	bpf_spin_unlock(&lock);
	for (int i = 0; i < 8; i++) {
		bpf_spin_lock(&lock);
		node = i & 2 ? bpf_list_pop_back(&list) : bpf_list_pop_front(&list);
		bpf_spin_unlock(&lock);
		if (!node)
			continue;
		item = container(node, struct item, in_list);
		seen[i] = item->key + 1;
		drop(item);
	}
	return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container(a, struct item, in_tree)->key < container(b, struct item, in_tree)->key;
}

static long add(u32 i, void *ctx)
{
	struct item *item = new(struct item);

	if (!item)
		return 1;
	item->key = (i * 37) % 101;
	bpf_spin_lock(&lock);
	bpf_rbtree_add_impl(&tree, &item->in_tree, less, 0, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

static long remove_first(u32 i, void *ctx)
{
	struct bpf_rb_node *node;
	long key;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&tree);
	if (!node) {
		bpf_spin_unlock(&lock);
		return 1;
	}
	node = bpf_rbtree_remove(&tree, node);
	bpf_spin_unlock(&lock);
	if (!node)
		return 1;
	key = container(node, struct item, in_tree)->key;
	if (key < seen[1])
		seen[2]++;
	seen[1] = key;
	seen[3] = seen[3] * 31 + key;
	drop(container(node, struct item, in_tree));
	return 0;
}

SEC("tc") int tree_order(struct __sk_buff *skb)
{
	seen[0] = bpf_loop(101, add, 0, 0);
	seen[4] = bpf_loop(1000, remove_first, 0, 0);
	CHECK(seen[2] == 0);
	CHECK(seen[4] == 102);
	return 0;
}

static long remove_inner(u32 i, void *ctx)
{
	struct bpf_rb_node *node, *child;
	struct item *item;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_root(&tree);
	if (!node) {
		bpf_spin_unlock(&lock);
		return 1;
	}
	seen[(i * 3) & 31] = container(node, struct item, in_tree)->key;
	child = bpf_rbtree_left(&tree, node);
	seen[(i * 3 + 1) & 31] = child ? container(child, struct item, in_tree)->key : -1;
	child = bpf_rbtree_right(&tree, node);
	seen[(i * 3 + 2) & 31] = child ? container(child, struct item, in_tree)->key : -1;
	node = bpf_rbtree_remove(&tree, node);
	bpf_spin_unlock(&lock);
	if (!node)
		return 1;
	item = container(node, struct item, in_tree);
	seen[40] = seen[40] * 31 + item->key;
	drop(item);
	return 0;
}

SEC("tc") int tree_shape(struct __sk_buff *skb)
{
	seen[50] = bpf_loop(63, add, 0, 0);
	seen[51] = bpf_loop(1000, remove_inner, 0, 0);
	return 0;
}

SEC("tc") int in_both(struct __sk_buff *skb)
{
	struct item *item = new(struct item), *more, *again;
	struct bpf_list_node *node;
	struct bpf_rb_node *found;

	if (!item)
		return __LINE__;
	item->key = 7;
	more = bpf_refcount_acquire_impl(item, 0);
	again = bpf_refcount_acquire_impl(item, 0);
	if (!again) {
		drop(item);
		drop(more);
		return __LINE__;
	}
	bpf_spin_lock(&lock);
	seen[0] = bpf_list_push_back_impl(&list, &item->in_list, 0, 0);
	seen[1] = bpf_rbtree_add_impl(&tree, &more->in_tree, less, 0, 0);
	seen[2] = bpf_list_push_back_impl(&list, &again->in_list, 0, 0);
	found = bpf_rbtree_first(&tree);
	if (found) {
		container(found, struct item, in_tree)->key++;
		found = bpf_rbtree_remove(&tree, found);
	}
	node = bpf_list_pop_front(&list);
	bpf_spin_unlock(&lock);
	if (node) {
		seen[3] = container(node, struct item, in_list)->key;
		drop(container(node, struct item, in_list));
	}
	if (found) {
		seen[4] = container(found, struct item, in_tree)->key;
		drop(container(found, struct item, in_tree));
	}
	return 0;
}

SEC("tc") int pointer_in_value(struct __sk_buff *skb)
{
	struct plain *object = new(struct plain), *old;
	u32 key = 0;
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);

	if (!slot || !object) {
		if (object)
			drop(object);
		return __LINE__;
	}
	object->a = 5;
	object->b = 6;
	old = bpf_kptr_xchg(&slot->object, object);
	if (old) {
		drop(old);
		return __LINE__;
	}
	old = bpf_kptr_xchg(&slot->object, 0);
	if (!old)
		return __LINE__;
	seen[0] = old->a * 10 + old->b;
	old = bpf_kptr_xchg(&slot->object, old);
	if (old)
		drop(old);
	return 0;
}

SEC("tc") int copy_per_cpu(struct __sk_buff *skb)
{
	struct plain __percpu_kptr *each = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct plain), 0), *old;
	struct plain *copy;
	u32 key = 0;
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);

	if (!each)
		return __LINE__;
	if (!slot) {
		bpf_percpu_obj_drop_impl(each, 0);
		return __LINE__;
	}
	old = bpf_kptr_xchg(&slot->each, each);
	if (old)
		bpf_percpu_obj_drop_impl(old, 0);
	bpf_rcu_read_lock();
	each = slot->each;
	if (each) {
		copy = bpf_this_cpu_ptr(each);
		copy->a = 11;
		copy = bpf_per_cpu_ptr(each, bpf_get_smp_processor_id());
		if (copy)
			seen[0] = copy->a;
		copy = bpf_per_cpu_ptr(each, 1 << 20);
		seen[1] = !copy;
	}
	bpf_rcu_read_unlock();
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct slot);
} elements SEC(".maps");

SEC("tc") int goes_with_its_element(struct __sk_buff *skb)
{
	struct slot empty = {}, *slot;
	struct plain *object;

	for (u32 i = 0; i < 12; i++) {
		u32 key = i & 3;

		bpf_map_update_elem(&elements, &key, &empty, 0);
		slot = bpf_map_lookup_elem(&elements, &key);
		if (!slot)
			return __LINE__;
		seen[i] = !slot->object;
		object = new(struct plain);
		if (!object)
			return __LINE__;
		object = bpf_kptr_xchg(&slot->object, object);
		if (object)
			drop(object);
		if (i & 1)
			bpf_map_delete_elem(&elements, &key);
	}
	return 0;
}

/* What is left in lists, trees and values goes with its map. */
SEC("tc") int left_behind(struct __sk_buff *skb)
{
	struct item *item = new(struct item);

	if (!item)
		return __LINE__;
	bpf_spin_lock(&lock);
	bpf_list_push_back_impl(&list, &item->in_list, 0, 0);
	bpf_spin_unlock(&lock);
	bpf_loop(10, add, 0, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
