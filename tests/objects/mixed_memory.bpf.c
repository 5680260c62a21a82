// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sections, objects, dynptrs, arenas and sleepable programs, two or three of them together:
 * what one of them allows, another must not undo.
 */
#define BPF_NO_KFUNC_PROTOTYPES
#include "loops.h"
#include "verdict.h"
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define GLOBAL			 __attribute__((noinline, weak))
#define STATIC			 static __attribute__((noinline))
#define __contains(type, member) __attribute__((btf_decl_tag("contains:" #type ":" #member)))
#undef __kptr
#define __kptr __attribute__((btf_type_tag("kptr")))
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))
#define __ulong(name, val) enum { ___bpf_concat(__unique_value, __COUNTER__) = val } name
#define __arena		   __attribute__((address_space(1)))
#undef __arg_nonnull
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#undef __arg_trusted
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;
void bpf_local_irq_save(unsigned long *flags) __ksym;
void bpf_local_irq_restore(unsigned long *flags) __ksym;
int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
		      unsigned int flags) __ksym;
struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;
void *bpf_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;
void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
			    u64 off) __ksym;
struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *out) __ksym;
void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, u32 offset, void *buffer, u32 size) __ksym;
void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, u32 page_cnt, int node_id,
				    u64 flags) __ksym;
int bpf_copy_from_user_str(void *dst, u32 size, const void *src, u64 flags) __ksym;

#define obj_new(type)	 ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define obj_drop(object) bpf_obj_drop_impl(object, NULL)

struct own_item {
	u64 number;
	struct bpf_list_node list;
	struct bpf_refcount count;
};

private(nodes) struct bpf_spin_lock lock;
private(nodes) struct bpf_list_head head __contains(own_item, list);

struct value {
	struct task_struct __kptr *task;
	struct own_item __kptr *node;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct value);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 10);
	__ulong(map_extra, 2ull << 44);
} arena SEC(".maps");

u64 numbers[16];
char bytes[64];

/* --- tasks, sections and loops --- */

SEC("syscall") ACCEPT int task_of_each_round(void *ctx)
{
	struct bpf_iter_num it;
	int *i, sum = 0;

	bpf_iter_num_new(&it, 1, 100);
	while ((i = bpf_iter_num_next(&it))) {
		struct task_struct *task = bpf_task_from_pid(*i);

		if (!task)
			continue;
		sum += task->tgid;
		bpf_task_release(task);
	}
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("syscall") REJECT("Unreleased reference") int task_of_the_last_round(void *ctx)
{
	struct task_struct *last = NULL;
	struct bpf_iter_num it;
	int *i;

	bpf_iter_num_new(&it, 1, 100);
	while ((i = bpf_iter_num_next(&it)))
		last = bpf_task_from_pid(*i);
	bpf_iter_num_destroy(&it);
	if (last)
		bpf_task_release(last);
	return 0;
}

SEC("syscall") ACCEPT int task_of_an_iterator_acquired(void *ctx)
{
	struct task_struct *task, *own = NULL;
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	task = bpf_iter_task_next(&it);
	if (task)
		own = bpf_task_acquire(task);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	if (!own)
		return 0;
	bpf_task_release(own);
	return 1;
}

SEC("syscall") REJECT("R1 must be a rcu pointer") int task_of_an_iterator_behind_it(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task, *own;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	task = bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	if (!task)
		return 0;
	own = bpf_task_acquire(task);
	if (own)
		bpf_task_release(own);
	return 1;
}

SEC("syscall") ACCEPT int parent_under_rcu(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf(), *parent;
	int pid = 0;

	bpf_rcu_read_lock();
	parent = task->real_parent;
	if (parent)
		pid = parent->pid;
	bpf_rcu_read_unlock();
	return pid;
}

SEC("syscall") REJECT("R1 must be a rcu pointer") int parent_acquired_without_rcu(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf(), *parent = task->real_parent;

	if (!parent)
		return 0;
	parent = bpf_task_acquire(parent);
	if (parent)
		bpf_task_release(parent);
	return 0;
}

SEC("syscall") REJECT("R1 must be a rcu pointer") int parent_acquired_behind_rcu(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf(), *parent;

	bpf_rcu_read_lock();
	parent = task->real_parent;
	bpf_rcu_read_unlock();
	if (!parent)
		return 0;
	parent = bpf_task_acquire(parent);
	if (parent)
		bpf_task_release(parent);
	return 0;
}

SEC("syscall") ACCEPT int parent_acquired_under_rcu(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf(), *parent;

	bpf_rcu_read_lock();
	parent = task->real_parent;
	parent = parent ? bpf_task_acquire(parent) : NULL;
	bpf_rcu_read_unlock();
	if (parent)
		bpf_task_release(parent);
	return 0;
}

SEC("syscall")
REJECT("BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region") int rcu_in_each_second_round(
	void *ctx)
{
	struct bpf_iter_num it;
	int *i;

	bpf_iter_num_new(&it, 0, 100);
	while ((i = bpf_iter_num_next(&it)))
		if (*i & 1)
			bpf_rcu_read_lock();
	bpf_iter_num_destroy(&it);
	return 0;
}

STATIC void leaves_rcu(void)
{
	bpf_rcu_read_unlock();
}

SEC("syscall")
REJECT("unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)") int rcu_left_in_a_function_twice(
	void *ctx)
{
	bpf_rcu_read_lock();
	leaves_rcu();
	leaves_rcu();
	return 0;
}

SEC("syscall") ACCEPT int rcu_left_in_a_function(void *ctx)
{
	bpf_rcu_read_lock();
	leaves_rcu();
	return 0;
}

SEC("syscall") ACCEPT int sections_in_sections(void *ctx)
{
	unsigned long flags;

	bpf_rcu_read_lock();
	bpf_preempt_disable();
	bpf_local_irq_save(&flags);
	numbers[0]++;
	bpf_local_irq_restore(&flags);
	bpf_preempt_enable();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") ACCEPT int sections_crosswise(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_preempt_disable();
	bpf_rcu_read_unlock();
	bpf_preempt_enable();
	return 0;
}

/* --- sleeping --- */

SEC("syscall") ACCEPT int sleeps_with_a_task(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	bpf_copy_from_user(bytes, sizeof(bytes), (void *)4096);
	bpf_task_release(task);
	return 0;
}

SEC("syscall")
REJECT("function calls are not allowed while holding a lock") int sleeps_with_a_lock(void *ctx)
{
	bpf_spin_lock(&lock);
	bpf_copy_from_user(bytes, sizeof(bytes), (void *)4096);
	bpf_spin_unlock(&lock);
	return 0;
}

GLOBAL int sleeps_globally(void)
{
	return bpf_copy_from_user(bytes, sizeof(bytes), (void *)4096);
}

SEC("syscall") ACCEPT int calls_what_sleeps(void *ctx)
{
	return sleeps_globally();
}

SEC("syscall")
REJECT("global functions that may sleep are not allowed in non-sleepable context,") int calls_what_sleeps_under_rcu(
	void *ctx)
{
	int ret;

	bpf_rcu_read_lock();
	ret = sleeps_globally();
	bpf_rcu_read_unlock();
	return ret;
}

SEC("syscall")
REJECT("global functions that may sleep are not allowed in non-sleepable context,") int calls_what_sleeps_without_preemption(
	void *ctx)
{
	int ret;

	bpf_preempt_disable();
	ret = sleeps_globally();
	bpf_preempt_enable();
	return ret;
}

SEC("tc")
REJECT("global functions that may sleep are not allowed in non-sleepable context,") int calls_what_sleeps_in_a_packet_program(
	struct __sk_buff *skb)
{
	return sleeps_globally();
}

STATIC int sleeps_in_callback(u32 round, void *unused)
{
	return bpf_copy_from_user(bytes, sizeof(bytes), (void *)4096) != 0;
}

SEC("syscall") ACCEPT int callback_sleeps(void *ctx)
{
	return bpf_loop(3, sleeps_in_callback, NULL, 0);
}

SEC("syscall")
REJECT("sleepable helper bpf_copy_from_user#148 in rcu_read_lock region") int callback_sleeps_under_rcu(
	void *ctx)
{
	int ret;

	bpf_rcu_read_lock();
	ret = bpf_loop(3, sleeps_in_callback, NULL, 0);
	bpf_rcu_read_unlock();
	return ret;
}

SEC("syscall") ACCEPT int text_of_user_space(void *ctx)
{
	char text[16] = {};

	bpf_copy_from_user_str(text, sizeof(text), (void *)4096, 0);
	return text[0];
}

SEC("syscall")
REJECT("invalid read from stack R1 off=-16 size=32") int text_of_user_space_too_long(void *ctx)
{
	char text[16] = {};

	bpf_copy_from_user_str(text, 32, (void *)4096, 0);
	return text[0];
}

/* --- own objects, loops and values --- */

SEC("tc") ACCEPT int nodes_pushed_in_a_loop(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it)) {
		struct own_item *node = obj_new(struct own_item);

		if (!node)
			break;
		bpf_spin_lock(&lock);
		bpf_list_push_back_impl(&head, &node->list, NULL, 0);
		bpf_spin_unlock(&lock);
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int nodes_popped_in_a_loop(struct __sk_buff *skb)
{
	for (u32 i = 0; i < 10 && can_loop; i++) {
		struct bpf_list_node *first;

		bpf_spin_lock(&lock);
		first = bpf_list_pop_front(&head);
		bpf_spin_unlock(&lock);
		if (!first)
			break;
		obj_drop(container_of(first, struct own_item, list));
	}
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int nodes_popped_and_lost(struct __sk_buff *skb)
{
	for (u32 i = 0; i < 10 && can_loop; i++) {
		struct bpf_list_node *first;

		bpf_spin_lock(&lock);
		first = bpf_list_pop_front(&head);
		bpf_spin_unlock(&lock);
		if (!first || i == 3)
			break;
		obj_drop(container_of(first, struct own_item, list));
	}
	return 0;
}

SEC("tc") ACCEPT int node_shared_by_list_and_value(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&array, &key);
	struct own_item *node, *second;

	if (!value)
		return 0;
	node = obj_new(struct own_item);
	if (!node)
		return 0;
	second = bpf_refcount_acquire_impl(node, NULL);
	bpf_spin_lock(&lock);
	bpf_list_push_back_impl(&head, &node->list, NULL, 0);
	bpf_spin_unlock(&lock);
	second = bpf_kptr_xchg(&value->node, second);
	if (second)
		obj_drop(second);
	return 0;
}

SEC("tc")
REJECT("function calls are not allowed while holding a lock") int exchanged_in_a_lock(
	struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&array, &key);
	struct own_item *old;

	if (!value)
		return 0;
	bpf_spin_lock(&lock);
	old = bpf_kptr_xchg(&value->node, NULL);
	bpf_spin_unlock(&lock);
	if (old)
		obj_drop(old);
	return 0;
}

STATIC long takes_each_task(void *map, u32 *key, struct value *value, u64 *count)
{
	struct task_struct *old = bpf_kptr_xchg(&value->task, NULL);

	if (!old)
		return 0;
	++*count;
	bpf_task_release(old);
	return 0;
}

SEC("tc") ACCEPT int tasks_taken_from_each_value(struct __sk_buff *skb)
{
	u64 count = 0;

	bpf_for_each_map_elem(&array, takes_each_task, &count, 0);
	return (int)count;
}

STATIC long loses_each_task(void *map, u32 *key, struct value *value, u64 *count)
{
	return !bpf_kptr_xchg(&value->task, NULL);
}

SEC("tc") REJECT("Unreleased reference") int tasks_lost_from_each_value(struct __sk_buff *skb)
{
	u64 count = 0;

	bpf_for_each_map_elem(&array, loses_each_task, &count, 0);
	return (int)count;
}

STATIC void copies_number(struct own_item *node, struct value *value)
{
	value->number = node->number;
}

SEC("tc") ACCEPT int node_passed_to_a_function(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&array, &key);
	struct own_item *node;

	if (!value)
		return 0;
	node = obj_new(struct own_item);
	if (!node)
		return 0;
	copies_number(node, value);
	obj_drop(node);
	return 0;
}

STATIC void drops(struct own_item *node)
{
	obj_drop(node);
}

SEC("tc") ACCEPT int node_dropped_by_a_function(struct __sk_buff *skb)
{
	struct own_item *node = obj_new(struct own_item);

	if (node)
		drops(node);
	return 0;
}

SEC("tc")
REJECT("R6 invalid mem access 'scalar'") int node_dropped_by_a_function_and_read(
	struct __sk_buff *skb)
{
	struct own_item *node = obj_new(struct own_item);

	if (!node)
		return 0;
	drops(node);
	return (int)node->number;
}

/* --- dynptrs and others --- */

SEC("tc") ACCEPT int slices_in_a_loop(struct __sk_buff *skb)
{
	struct bpf_dynptr packet;
	u32 sum = 0;
	char buffer[4];

	if (bpf_dynptr_from_skb(skb, 0, &packet))
		return 0;
	for (u32 i = 0; i < 16 && can_loop; i++) {
		u32 *word = bpf_dynptr_slice(&packet, i * 4, buffer, sizeof(buffer));

		if (!word)
			break;
		sum += *word;
	}
	return (int)sum;
}

SEC("tc")
REJECT("R8 invalid mem access 'scalar'") int slice_after_a_callback_changed_the_packet(
	struct __sk_buff *skb)
{
	struct bpf_dynptr packet;
	u32 buffer = 0, *word;

	if (bpf_dynptr_from_skb(skb, 0, &packet))
		return 0;
	word = bpf_dynptr_slice(&packet, 0, &buffer, sizeof(buffer));
	if (!word)
		return 0;
	bpf_skb_pull_data(skb, 64);
	return (int)*word;
}

STATIC int reserves(struct bpf_dynptr *record)
{
	return (int)bpf_ringbuf_reserve_dynptr(&ring, 16, 0, record);
}

SEC("tc") ACCEPT int record_made_by_a_function(struct __sk_buff *skb)
{
	struct bpf_dynptr record;

	reserves(&record);
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}

SEC("tc")
REJECT("Unreleased reference") int record_made_by_a_function_and_lost(struct __sk_buff *skb)
{
	struct bpf_dynptr record;

	return reserves(&record);
}

SEC("tc")
REJECT("cannot overwrite referenced dynptr") int record_made_in_a_frame_that_ends(
	struct __sk_buff *skb)
{
	struct bpf_dynptr record;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &record);
	for (u32 i = 0; i < 3 && can_loop; i++)
		reserves(&record);
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}

/* --- arenas and others --- */

struct element {
	struct element __arena *next;
	u64 number;
};

struct element __arena *first;

SEC("syscall") ACCEPT int list_in_the_arena(void *ctx)
{
	struct element __arena *element = first;
	u64 sum = 0;

	bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	while (element && can_loop) {
		sum += element->number;
		element = element->next;
	}
	return (int)sum;
}

SEC("syscall")
REJECT("kernel func bpf_arena_alloc_pages is sleepable within rcu_read_lock region") int sleeping_allocation_under_rcu(
	void *ctx)
{
	void __arena *page;

	bpf_rcu_read_lock();
	page = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	bpf_rcu_read_unlock();
	return !!page;
}

STATIC int adds_to_the_arena(u32 round, struct element __arena *element)
{
	element->number += round;
	return 0;
}

SEC("syscall") REJECT("R3 type=arena expected=fp") int arena_in_a_callback(void *ctx)
{
	struct element __arena *page = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	bpf_loop(4, adds_to_the_arena, (void *)page, 0);
	return 0;
}

SEC("syscall")
REJECT("R1 type=arena expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_") int arena_as_the_memory_of_a_helper(
	void *ctx)
{
	char __arena *page = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	bpf_copy_from_user((void *)page, 16, (void *)4096);
	return 0;
}

/* --- structures of functions and others --- */

SEC("?struct_ops/ssthresh") ACCEPT __u32 BPF_PROG(reads_its_socket, struct sock *sk)
{
	return sk->__sk_common.skc_family;
}

SEC("?struct_ops/ssthresh")
REJECT("no write support to tcp_sock at off 16") __u32
	BPF_PROG(writes_its_socket, struct sock *sk)
{
	sk->__sk_common.skc_family = 3;
	return 0;
}

SEC("?struct_ops/ssthresh") ACCEPT __u32 BPF_PROG(loops_in_a_member, struct sock *sk)
{
	u32 sum = 0;

	for (u32 i = 0; can_loop && i < 100; i++)
		sum += i;
	return sum;
}

GLOBAL u32 congestion_of(struct sock *sk __arg_trusted)
{
	return sk->__sk_common.skc_family;
}

SEC("?struct_ops/ssthresh") ACCEPT __u32 BPF_PROG(passes_its_socket, struct sock *sk)
{
	return congestion_of(sk);
}

SEC(".struct_ops.link")
struct tcp_congestion_ops reads_ops = {
	.ssthresh = (void *)reads_its_socket,
	.name = "mixed_reads",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops writes_ops = {
	.ssthresh = (void *)writes_its_socket,
	.name = "mixed_writes",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops loops_ops = {
	.ssthresh = (void *)loops_in_a_member,
	.name = "mixed_loops",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops passes_ops = {
	.ssthresh = (void *)passes_its_socket,
	.name = "mixed_passes",
};

char _license[] SEC("license") = "GPL";
