// SPDX-License-Identifier: BSD-2-Clause
/* Objects of the program's own types: owned, in lists and trees, in values; locks. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "verdict.h"

#define __contains(type, member) __attribute__((btf_decl_tag("contains:" #type ":" #member)))
#undef __kptr
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

void *bpf_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;
void *bpf_percpu_obj_new_impl(u64 type, void *meta) __ksym;
void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
			     u64 off) __ksym;
struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			bool (less)(struct bpf_rb_node *a, const struct bpf_rb_node *b),
			void *meta, u64 off) __ksym;
struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (callback_fn)(void *map, int *key, void *value),
			     unsigned int flags, void *aux) __ksym;
int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *work,
				       void *map, bpf_task_work_callback_t callback,
				       void *aux) __ksym;
void *bpf_rdonly_cast(const void *object, u32 type) __ksym;
void *bpf_cast_to_kern_ctx(void *ctx) __ksym;

#define obj_new(type) ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define obj_drop(object) bpf_obj_drop_impl(object, NULL)

struct own_node {
	int data;
	struct bpf_list_node list;
	struct bpf_rb_node tree;
	struct bpf_refcount count;
};

struct other {
	struct bpf_list_node list;
	int data;
};

struct plain_pair {
	u64 a, b;
};

private(list) struct bpf_spin_lock lock;
private(list) struct bpf_list_head head __contains(own_node, list);
private(tree) struct bpf_spin_lock tree_lock;
private(tree) struct bpf_rb_root root __contains(own_node, tree);

struct value {
	struct task_struct __kptr *task;
	struct task_struct __kptr_untrusted *loose;
	struct own_node __kptr *node;
	struct plain_pair __percpu_kptr *percpu;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct value);
} values SEC(".maps");

struct res_value {
	struct bpf_res_spin_lock lock;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct res_value);
} res_values SEC(".maps");

struct work_value {
	struct bpf_wq work;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct work_value);
} works SEC(".maps");

static struct value *find(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&values, &key);
}

SEC("tc") ACCEPT int new_and_drop(void *ctx)
{
	struct plain_pair *object = obj_new(struct plain_pair);

	if (!object)
		return 0;
	object->a = 1;
	obj_drop(object);
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int never_dropped(void *ctx)
{
	struct plain_pair *object = obj_new(struct plain_pair);

	return !!object;
}

SEC("tc") REJECT("invalid mem access 'ptr_or_null_'") int new_unchecked(void *ctx)
{
	struct plain_pair *object = obj_new(struct plain_pair);

	object->a = 1;
	obj_drop(object);
	return 0;
}

SEC("tc") REJECT("invalid mem access 'scalar'") int used_after_drop(void *ctx)
{
	struct plain_pair *object = obj_new(struct plain_pair);

	if (!object)
		return 0;
	obj_drop(object);
	return object->a;
}

SEC("tc") REJECT("direct access to bpf_list_node is disallowed") int into_a_node(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	*(volatile u64 *)&object->list = 1;
	obj_drop(object);
	return 0;
}

SEC("tc") ACCEPT int push_and_pop(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);
	struct bpf_list_node *node;

	if (!object)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	object->data = 5;
	node = bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	if (node)
		obj_drop(container_of(node, struct own_node, list));
	return 0;
}

SEC("tc") REJECT("bpf_spin_lock at off=0 must be held for bpf_list_head") int push_unlocked(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	return 0;
}

SEC("tc") REJECT("held lock and object are not in the same allocation")
int push_under_another_lock(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("tc") REJECT("operation on bpf_list_head expects arg#1 bpf_list_node at offset=8 in struct own_node")
int push_another_type(void *ctx)
{
	struct other *object = obj_new(struct other);

	if (!object)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("tc") REJECT("arg#1 expected pointer to allocated object") int push_twice(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("tc") REJECT("invalid mem access 'scalar'") int used_after_unlock(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &object->list, NULL, 0);
	bpf_spin_unlock(&lock);
	object->data = 5;
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int popped_and_kept(void *ctx)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock);
	node = bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	return !!node;
}

SEC("tc") REJECT("function calls are not allowed while holding a lock") int new_under_lock(void *ctx)
{
	struct plain_pair *object;

	bpf_spin_lock(&lock);
	object = obj_new(struct plain_pair);
	bpf_spin_unlock(&lock);
	if (object)
		obj_drop(object);
	return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct own_node, tree)->data < container_of(b, struct own_node, tree)->data;
}

SEC("tc") ACCEPT int tree(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);
	struct bpf_rb_node *first, *removed = NULL;

	if (!object)
		return 0;
	object->data = 3;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&root, &object->tree, less, NULL, 0);
	first = bpf_rbtree_first(&root);
	if (first)
		removed = bpf_rbtree_remove(&root, first);
	bpf_spin_unlock(&tree_lock);
	if (removed)
		obj_drop(container_of(removed, struct own_node, tree));
	return 0;
}

static bool less_that_writes(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	struct own_node *one = container_of(a, struct own_node, tree);
	struct own_node *other = container_of(b, struct own_node, tree);

	if (one->data > 5)
		one->data = 3;
	else
		other->data++;
	return one->data < other->data;
}

/* What orders the tree is walked once, as it brings nothing new. */
SEC("tc") ACCEPT int tree_written_by_less(void *ctx)
{
	for (int i = 0; i < 5; i++) {
		struct own_node *object = obj_new(struct own_node);

		if (!object)
			return 0;
		object->data = i;
		bpf_spin_lock(&tree_lock);
		bpf_rbtree_add_impl(&root, &object->tree, less_that_writes, NULL, 0);
		bpf_spin_unlock(&tree_lock);
	}
	return 0;
}

static bool less_that_unlinks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	*(volatile u64 *)a = 0;
	return true;
}

SEC("tc") REJECT("direct access to bpf_rb_node is disallowed") int tree_node_written_by_less(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&root, &object->tree, less_that_unlinks, NULL, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

static bool less_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_remove(&root, a);
	return true;
}

SEC("tc") REJECT("bpf_rbtree_remove not allowed in rbtree cb") int tree_changed_by_less(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);

	if (!object)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&root, &object->tree, less_removes, NULL, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("tc") REJECT("invalid mem access 'scalar'") int tree_node_after_unlock(void *ctx)
{
	struct bpf_rb_node *first;

	bpf_spin_lock(&tree_lock);
	first = bpf_rbtree_first(&root);
	bpf_spin_unlock(&tree_lock);
	return first ? container_of(first, struct own_node, tree)->data : 0;
}

SEC("tc") ACCEPT int counted(void *ctx)
{
	struct own_node *object = obj_new(struct own_node), *again;

	if (!object)
		return 0;
	again = bpf_refcount_acquire_impl(object, NULL);
	if (again)
		obj_drop(again);
	obj_drop(object);
	return 0;
}

SEC("tc") REJECT("arg#0 doesn't point to a type with bpf_refcount field") LINUX_REJECTS("")
int not_counted(void *ctx)
{
	struct plain_pair *object = obj_new(struct plain_pair), *again;

	if (!object)
		return 0;
	again = bpf_refcount_acquire_impl(object, NULL);
	if (again)
		obj_drop(again);
	obj_drop(object);
	return 0;
}

SEC("tc") ACCEPT int own_in_a_value(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);
	struct value *value = find();

	if (!object)
		return 0;
	if (value)
		object = bpf_kptr_xchg(&value->node, object);
	if (object)
		obj_drop(object);
	return 0;
}

SEC("tc") ACCEPT int own_read_from_a_value(void *ctx)
{
	struct value *value = find();
	struct own_node *object;

	if (!value)
		return 0;
	object = value->node;
	return object ? object->data : 0;
}

SEC("tc") ACCEPT int task_in_a_value(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	struct value *value = find();

	if (!task)
		return 0;
	if (value)
		task = bpf_kptr_xchg(&value->task, task);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tc") REJECT("Possibly NULL pointer passed to helper arg2") int gives_unchecked_task(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	struct value *value = find();

	if (value)
		task = bpf_kptr_xchg(&value->task, task);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tc") REJECT("Possibly NULL pointer passed to helper arg2")
LINUX_REJECTS("verifier bug: invalid PTR_TO_BTF_ID register for type match") int gives_unchecked_node(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);
	struct value *value = find();

	if (value)
		object = bpf_kptr_xchg(&value->node, object);
	if (object)
		obj_drop(object);
	return 0;
}

SEC("tc") ACCEPT int task_acquired_from_a_value(void *ctx)
{
	struct value *value = find();
	struct task_struct *task;

	if (!value)
		return 0;
	task = value->task;
	if (!task)
		return 0;
	task = bpf_task_acquire(task);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("syscall") REJECT("R1 must be a rcu pointer") int task_acquired_without_rcu(void *ctx)
{
	struct value *value = find();
	struct task_struct *task;

	if (!value)
		return 0;
	task = value->task;
	if (!task)
		return 0;
	task = bpf_task_acquire(task);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tc") REJECT("store to referenced kptr disallowed") int stored_directly(void *ctx)
{
	struct value *value = find();

	if (value)
		value->task = NULL;
	return 0;
}

SEC("tc") ACCEPT int loose_pointer(void *ctx)
{
	struct value *value = find();

	if (!value)
		return 0;
	value->loose = value->loose;
	value->loose = NULL;
	return 0;
}

SEC("tc") REJECT("off=8 kptr isn't referenced kptr") int loose_exchanged(void *ctx)
{
	struct value *value = find();
	struct task_struct *task;

	if (!value)
		return 0;
	task = bpf_kptr_xchg(&value->loose, NULL);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tc") REJECT("off=32 doesn't point to kptr") int a_number_exchanged(void *ctx)
{
	struct value *value = find();
	void *old;

	if (!value)
		return 0;
	old = bpf_kptr_xchg(&value->number, NULL);
	return !!old;
}

SEC("tc") REJECT("kptr access size must be BPF_DW") int half_a_pointer(void *ctx)
{
	struct value *value = find();

	return value ? *(volatile u32 *)&value->task : 0;
}

SEC("tc") REJECT("kptr cannot be accessed indirectly by helper") int a_helper_reads_it(void *ctx)
{
	struct value *value = find();

	if (value)
		bpf_get_current_comm(value, sizeof(*value));
	return 0;
}

SEC("tc") REJECT("invalid kptr access, R2 type=ptr_own_node expected=ptr_task_struct")
int another_type_exchanged(void *ctx)
{
	struct own_node *object = obj_new(struct own_node);
	struct value *value = find();
	void *old = object;

	if (!object)
		return 0;
	if (value)
		old = bpf_kptr_xchg(&value->task, (void *)object);
	if (old)
		obj_drop(old);
	return 0;
}

static struct res_value *find_res(u32 key)
{
	return bpf_map_lookup_elem(&res_values, &key);
}

SEC("tc") ACCEPT int res_lock(void *ctx)
{
	struct res_value *value = find_res(0);

	if (!value || bpf_res_spin_lock(&value->lock))
		return 0;
	value->number++;
	bpf_res_spin_unlock(&value->lock);
	return 0;
}

SEC("tc") REJECT("cannot be used inside bpf_spin_lock-ed region") int res_lock_kept(void *ctx)
{
	struct res_value *value = find_res(0);

	if (value)
		bpf_res_spin_lock(&value->lock);
	return 0;
}

SEC("tc") ACCEPT int res_locks_nested(void *ctx)
{
	struct res_value *a = find_res(0), *b = find_res(1);

	if (!a || !b || bpf_res_spin_lock(&a->lock))
		return 0;
	if (!bpf_res_spin_lock(&b->lock))
		bpf_res_spin_unlock(&b->lock);
	bpf_res_spin_unlock(&a->lock);
	return 0;
}

SEC("tc") REJECT("bpf_res_spin_unlock cannot be out of order") int res_locks_out_of_order(void *ctx)
{
	struct res_value *a = find_res(0), *b = find_res(1);

	if (!a || !b || bpf_res_spin_lock(&a->lock))
		return 0;
	if (bpf_res_spin_lock(&b->lock)) {
		bpf_res_spin_unlock(&a->lock);
		return 0;
	}
	bpf_res_spin_unlock(&a->lock);
	bpf_res_spin_unlock(&b->lock);
	return 0;
}

SEC("tc") REJECT("Acquiring the same lock again, AA deadlock detected") int res_lock_again(void *ctx)
{
	struct res_value *value = find_res(0);

	if (!value || bpf_res_spin_lock(&value->lock))
		return 0;
	if (!bpf_res_spin_lock(&value->lock))
		bpf_res_spin_unlock(&value->lock);
	bpf_res_spin_unlock(&value->lock);
	return 0;
}

static int work(void *map, int *key, void *value)
{
	struct work_value *element = value;
	char byte;

	bpf_copy_from_user(&byte, 1, NULL);
	element->number++;
	return 0;
}

SEC("tc") ACCEPT int workqueue(void *ctx)
{
	u32 key = 0;
	struct work_value *value = bpf_map_lookup_elem(&works, &key);

	if (!value || bpf_wq_init(&value->work, &works, 0))
		return 0;
	if (!bpf_wq_set_callback_impl(&value->work, work, 0, NULL))
		bpf_wq_start(&value->work, 0);
	return 0;
}

SEC("tc") REJECT("arg#0 doesn't point to a map value") int workqueue_elsewhere(void *ctx)
{
	struct bpf_wq queue = {};

	return bpf_wq_init(&queue, &works, 0);
}

struct task_value {
	struct bpf_task_work work;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct task_value);
} task_values SEC(".maps");

static int task_work(struct bpf_map *map, void *key, void *value)
{
	struct task_value *element = value;
	char byte;

	bpf_copy_from_user(&byte, 1, NULL);
	element->number++;
	return 7;
}

SEC("perf_event") ACCEPT int work_for_a_task(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 key = 0;
	struct task_value *value = bpf_map_lookup_elem(&task_values, &key);

	if (value)
		bpf_task_work_schedule_resume_impl(task, &value->work, &task_values, task_work, NULL);
	return 0;
}

static int any_result(struct bpf_map *map, void *key, void *value)
{
	return bpf_get_prandom_u32();
}

SEC("perf_event")
REJECT("At async callback return the register R0 has unknown scalar value should have been in [-2147483648, 2147483647]")
int work_with_any_result(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 key = 0;
	struct task_value *value = bpf_map_lookup_elem(&task_values, &key);

	if (value)
		bpf_task_work_schedule_resume_impl(task, &value->work, &task_values, any_result, NULL);
	return 0;
}

SEC("perf_event") REJECT("arg#1 doesn't point to a map value") int work_elsewhere(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct bpf_task_work work = {};

	bpf_task_work_schedule_resume_impl(task, &work, &task_values, task_work, NULL);
	return 0;
}

SEC("tc") ACCEPT int casts(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);
	struct net_device *dev = skb->dev;
	struct task_struct *task = bpf_rdonly_cast(dev, bpf_core_type_id_kernel(struct task_struct));

	return skb->len + task->pid;
}

SEC("tc") REJECT("kfunc bpf_rdonly_cast type ID argument must be of a struct or void")
int cast_to_a_number(struct __sk_buff *ctx)
{
	return (long)bpf_rdonly_cast(ctx, bpf_core_type_id_kernel(int));
}

SEC("tc") ACCEPT int percpu(void *ctx)
{
	struct plain_pair *object = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct plain_pair), NULL);

	if (object)
		bpf_percpu_obj_drop_impl(object, NULL);
	return 0;
}

SEC("tc") REJECT("bpf_percpu_obj_new type ID argument must not contain special fields")
int percpu_with_fields(void *ctx)
{
	struct own_node *object = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct own_node), NULL);

	if (object)
		bpf_percpu_obj_drop_impl(object, NULL);
	return 0;
}

/* --- references and pointers in objects --- */

struct holder {
	struct task_struct __kptr *task;
	int number;
};

struct holder_value {
	struct holder __kptr *holder;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct holder_value);
} holders SEC(".maps");

SEC("tc") ACCEPT int puts_reference_into_own_object(void *ctx)
{
	struct holder *holder = obj_new(struct holder);
	struct task_struct *task;

	if (!holder)
		return 0;
	task = bpf_task_from_pid(1);
	if (task)
		task = bpf_kptr_xchg(&holder->task, task);
	if (task)
		bpf_task_release(task);
	obj_drop(holder);
	return 0;
}

SEC("tc") REJECT("R1 type=rcu_ptr_ expected=map_value, ptr_")
int puts_reference_into_object_of_others(void *ctx)
{
	struct holder_value *value;
	struct holder *holder;
	struct task_struct *task;
	u32 key = 0;

	value = bpf_map_lookup_elem(&holders, &key);
	if (!value)
		return 0;
	holder = value->holder;
	if (!holder)
		return 0;
	task = bpf_kptr_xchg(&holder->task, NULL);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tc") ACCEPT int one_more_reference_is_never_null(void *ctx)
{
	struct own_node *node = obj_new(struct own_node), *same;

	if (!node)
		return 0;
	same = bpf_refcount_acquire_impl(node, NULL);
	node->data = same->data;
	obj_drop(node);
	obj_drop(same);
	return 0;
}

SEC("tc") ACCEPT int reference_to_listed_node_under_lock(void *ctx)
{
	struct own_node *node = obj_new(struct own_node), *same;

	if (!node)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front_impl(&head, &node->list, NULL, 0);
	same = bpf_refcount_acquire_impl(node, NULL);
	bpf_spin_unlock(&lock);
	if (same)
		obj_drop(same);
	return 0;
}

SEC("tc") REJECT("R1 must be referenced or trusted") int drops_object_of_value(void *ctx)
{
	struct holder_value *value;
	u32 key = 0;

	value = bpf_map_lookup_elem(&holders, &key);
	if (value && value->holder)
		obj_drop(value->holder);
	return 0;
}

struct timed {
	struct bpf_timer timer;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timed);
} timed SEC(".maps"), timed_too SEC(".maps");

SEC("tc") REJECT("timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0")
int timer_of_another_map(void *ctx)
{
	u32 key = 0;
	struct timed *value = bpf_map_lookup_elem(&timed, &key);

	if (value)
		bpf_timer_init(&value->timer, &timed_too, 1);
	return 0;
}

SEC("tc") REJECT("workqueue pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0")
int work_of_another_map(void *ctx)
{
	u32 key = 0;
	struct timed *value = bpf_map_lookup_elem(&timed, &key);

	if (value)
		bpf_wq_init(&value->work, &timed_too, 0);
	return 0;
}

/* Programs that run anywhere may run while the lock is held. */
SEC("raw_tp/sched_switch") REJECT("tracing progs cannot use bpf_spin_lock yet")
int tracing_and_a_lock(void *ctx)
{
	u32 key = 0;

	return !bpf_map_lookup_elem(&res_values, &key);
}

SEC("raw_tp/sched_switch") REJECT("tracing progs cannot use bpf_{list_head,rb_root} yet")
int tracing_and_a_tree(void *ctx)
{
	asm volatile("" ::"r"(&root));
	return 0;
}

char _license[] SEC("license") = "GPL";
