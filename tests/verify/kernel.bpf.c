// SPDX-License-Identifier: BSD-2-Clause
/*
 * A made-up kernel, for test_attach.c: what programs attach to, with types that the running
 * kernel may lack. Only its BTF is used.
 */
#define TAG(name) __attribute__((btf_type_tag(name)))

typedef unsigned int u32;
typedef unsigned long u64;

/* clang 14 keeps a tag only in front of a typedef's pointer. */
typedef struct inner {
	int number;
	struct inner *next;
} inner;

union choice {
	struct inner *object;
	u64 number;
};

struct sized {
	int count;
	struct inner tail[];
};

struct thing {
	u64 number;
	inner TAG("user") * user;
	inner TAG("percpu") *percpu;
	inner TAG("rcu") *rcu;
	struct inner *plain;
	union choice choice;
	int matrix[2][3];
	struct inner inners[3];
	u32 low : 3, high : 29;
	int *leaf;
	u64 hole_before __attribute__((aligned(32)));
};

struct task_struct {
	struct thing *thing;
	int pid;
};

struct task_struct__safe_trusted {
	struct thing *thing;
};

struct pair {
	u64 first, second;
};

typedef void (*btf_trace_sample)(void *data, struct task_struct *task, int number);
typedef int btf_trace_wrong;
typedef int not_a_trace;

struct {
	btf_trace_sample sample;
	btf_trace_wrong wrong;
	not_a_trace other;
} keep;

struct task_struct *task;
struct thing thing;
struct sized *sized;
struct task_struct__safe_trusted *list;

int number = 1;
int per_cpu_number __attribute__((section(".data..percpu")));
struct inner per_cpu_object __attribute__((section(".data..percpu")));

struct bpf_dummy_ops_state {
	int value;
};

struct bpf_dummy_ops {
	int (*test_1)(struct bpf_dummy_ops_state *cb);
	int (*test_2)(struct bpf_dummy_ops_state *cb, int a1, u64 a2);
	void *(*test_sleepable)(struct bpf_dummy_ops_state *cb);
	void (*nothing)(void);
	struct task_struct *(*give)(struct task_struct *task);
	int number;
} ops;

/* The kernel has it registered; the other one it only knows. */
struct bpf_struct_ops_bpf_dummy_ops {
	struct bpf_dummy_ops data;
} registered;

struct Qdisc_ops {
	int (*enqueue)(struct thing *thing);
} not_registered;

int bpf_dummy_ops__test_1(struct bpf_dummy_ops_state *cb__nullable)
{
	return !!cb__nullable;
}

struct task_struct *bpf_dummy_ops__give(struct task_struct *task__ref)
{
	return task__ref;
}

int bpf_lsm_file_open(struct thing *file)
{
	return !!file;
}

int bpf_lsm_inode_xattr_skipcap(const char *name)
{
	return !!name;
}

void bpf_lsm_task_free(struct task_struct *freed)
{
	keep.other = !freed;
}

int bpf_lsm_vm_enough_memory(struct task_struct *mm)
{
	return !!mm;
}

int bpf_iter_task(struct task_struct *meta, struct task_struct *iterated)
{
	return meta == iterated;
}

int bpf_iter_nothing(void)
{
	return 0;
}

int sample_function(struct task_struct *first, struct pair second, char *third,
		    struct inner **fourth)
{
	return first && third && fourth && second.first;
}

int sample_wide(__int128 first)
{
	return !!first;
}

int bpf_modify_return_test(int a, int *b)
{
	return a + *b;
}

void *should_failslab(void)
{
	return 0;
}

void migrate_disable(void)
{
	keep.other++;
}

void do_exit(long code)
{
	keep.other = code;
}
