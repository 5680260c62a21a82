// SPDX-License-Identifier: BSD-2-Clause
/* Calls of kernel functions: who may call them, and with what. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;
struct cgroup *bpf_cgroup_from_id(u64 id) __ksym;
void bpf_cgroup_release(struct cgroup *cgroup) __ksym;
void bpf_key_put(struct bpf_key *key) __ksym;
struct bpf_key *bpf_lookup_system_key(u64 id) __ksym;
struct bpf_key *bpf_lookup_user_key(u32 serial, u64 flags) __ksym;
void missing_everywhere(void) __ksym __weak;

SEC("syscall") ACCEPT int a_reference_comes_and_goes(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("syscall") REJECT("Unreleased reference") int a_reference_is_kept(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	return !!task;
}

SEC("syscall") REJECT("Possibly NULL pointer passed to trusted arg0")
int a_result_is_not_checked(void *ctx)
{
	bpf_task_release(bpf_task_from_pid(1));
	return 0;
}

SEC("syscall") REJECT("Possibly NULL pointer passed to trusted arg0")
int null_is_released(void *ctx)
{
	bpf_task_release(NULL);
	return 0;
}

SEC("syscall") REJECT("arg#0 pointer type STRUCT task_struct must point to scalar")
int a_reference_is_released_twice(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	bpf_task_release(task);
	bpf_task_release(task);
	return 0;
}

SEC("syscall")
REJECT("kernel function bpf_cgroup_release args#0 expected pointer to STRUCT cgroup but R1 has "
       "a pointer to STRUCT task_struct")
int an_object_of_another_type(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_cgroup_release((void *)task);
	return 0;
}

SEC("syscall") REJECT("arg#0 pointer type STRUCT task_struct must point to scalar")
int a_context_for_an_object(void *ctx)
{
	bpf_task_release(ctx);
	return 0;
}

SEC("syscall") ACCEPT int two_kinds_of_reference(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	struct cgroup *cgroup = bpf_cgroup_from_id(1);

	if (cgroup)
		bpf_cgroup_release(cgroup);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("socket") REJECT("calling kernel function bpf_task_from_pid is not allowed")
int a_type_that_may_not(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tc") REJECT("program must be sleepable to call sleepable kfunc bpf_lookup_user_key")
int not_sleepable(void *ctx)
{
	struct bpf_key *key = bpf_lookup_user_key(0, 0);

	if (key)
		bpf_key_put(key);
	return 0;
}

SEC("syscall") ACCEPT int sleepable(void *ctx)
{
	struct bpf_key *key = bpf_lookup_user_key(0, 0);

	if (key)
		bpf_key_put(key);
	return 0;
}

SEC("syscall") ACCEPT int a_weak_one_is_checked(void *ctx)
{
	if (missing_everywhere)
		missing_everywhere();
	return 0;
}

SEC("syscall") REJECT("arg#0 pointer type STRUCT task_struct must point to scalar")
NAKED int an_argument_is_missing(void)
{
	asm volatile("call %[prandom]; call %[release]; r0 = 0; exit;" ::[release] "i"(bpf_task_release), [prandom] "i"(BPF_FUNC_get_prandom_u32)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

struct bpf_dynptr;
int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *out) __ksym;
int bpf_stream_vprintk_impl(int stream, const char *format, const void *args, u32 size,
			    void *aux) __ksym;
int bpf_wq_init(struct bpf_wq *queue, void *map, unsigned int flags) __ksym;
void *bpf_obj_new_impl(u64 type, void *meta) __ksym;

SEC("syscall") REJECT("R1 is not a scalar") NAKED int a_pointer_for_a_number(void)
{
	asm volatile("r1 = r10; call %[from_pid]; r0 = 0; exit;" ::[from_pid] "i"(bpf_task_from_pid)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

SEC("tc") REJECT("arg#0 expected pointer to ctx, but got fp") int no_context(struct __sk_buff *skb)
{
	u64 place[2] = {};

	return bpf_dynptr_from_skb((void *)place, 0, (void *)place);
}

SEC("syscall") REJECT("arg#1 doesn't point to a const string") int a_string_on_the_stack(void *ctx)
{
	char format[8] = "hello";

	return bpf_stream_vprintk_impl(1, format, NULL, 0, NULL);
}

SEC("syscall") REJECT("release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID")
int a_pointer_without_reference(void *ctx)
{
	bpf_task_release(bpf_get_current_task_btf());
	return 0;
}

/* Calls as no compiler makes them: opcode, BPF_PSEUDO_KFUNC_CALL, offset, id. */
#define RAW_CALL(id, offset) ".8byte " #id " << 32 | " #offset " << 16 | 0x2085;"

SEC("syscall") REJECT("kernel btf_id 1 is not a function") NAKED int no_function(void)
{
	asm volatile(RAW_CALL(1, 0) "r0 = 0; exit;");
}

SEC("syscall") REJECT("invalid kernel function call not eliminated in verifier pass")
NAKED int a_function_that_is_not_there(void)
{
	asm volatile(RAW_CALL(0, 0) "r0 = 0; exit;");
}

SEC("syscall") REJECT("negative offset disallowed for kernel module function call")
NAKED int a_function_before_all_modules(void)
{
	asm volatile(RAW_CALL(1, 0xffff) "r0 = 0; exit;");
}

void __bpf_trap(void) __ksym __weak;
int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, u32 *hash,
			     enum xdp_rss_hash_type *type) __ksym __weak;
/* attach points, and no more */
int bpf_modify_return_test(int a, int *b) __ksym __weak;

SEC("socket")
REJECT("unexpected __bpf_trap() due to uninitialized variable?") int kfunc_trap(void *ctx)
{
	__bpf_trap();
	return 0;
}

SEC("socket") ACCEPT int a_trap_that_is_never_reached(void *ctx)
{
	volatile int zero = 0;

	if (zero)
		__bpf_trap();
	return 0;
}

SEC("xdp")
REJECT("metadata kfuncs require device-bound program") int kfunc_device_bound(
	struct xdp_md *ctx)
{
	return bpf_xdp_metadata_rx_hash(ctx, NULL, NULL);
}

SEC("socket")
REJECT("calling kernel function bpf_modify_return_test is not allowed") int nobody_may_call_it(
	void *ctx)
{
	return bpf_modify_return_test(0, NULL);
}

void *bpf_cast_to_kern_ctx(void *context) __ksym;
void bpf_kfunc_call_memb_release(struct prog_test_member *p) __ksym __weak;
u32 bpf_cpumask_first(const struct cpumask *mask) __ksym;
bool bpf_cpumask_full(const struct cpumask *mask) __ksym;
void bpf_ct_release(struct nf_conn *entry) __ksym __weak;
int bpf_iter_css_task_new(struct bpf_iter_css_task *it, struct cgroup_subsys_state *css,
			  unsigned int flags) __ksym;

SEC("syscall") REJECT("is not a struct") int no_context_of_the_kernel(void *ctx)
{
	return !bpf_cast_to_kern_ctx(ctx);
}

/* Contexts that Linux passes as they are count as memory. */
SEC("syscall") ACCEPT int context_as_memory(void *ctx)
{
	return bpf_cpumask_first(ctx) + bpf_cpumask_full(ctx);
}

SEC("tc") REJECT("R1 type=ctx expected=fp") int other_context_as_memory(void *ctx)
{
	bpf_kfunc_call_memb_release(ctx);
	return 0;
}

SEC("syscall") REJECT("variable ? access var_off=(0x0; 0xffffffffffffffff) disallowed")
NAKED int a_pointer_is_missing(void)
{
	asm volatile("call %[random]; call %[first]; exit;" ::[first] "i"(bpf_cpumask_first),
		     [random] "i"(BPF_FUNC_get_prandom_u32)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

SEC("tc") REJECT("max struct nesting depth exceeded") int kfunc_nesting(struct __sk_buff *skb)
{
	u64 place[2] = {};

	bpf_ct_release((void *)place);
	return 0;
}

SEC("tc") REJECT("css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs")
int tasks_where_a_lock_is_held(void *ctx)
{
	struct bpf_iter_css_task it;

	return bpf_iter_css_task_new(&it, NULL, 0);
}

char _license[] SEC("license") = "GPL";
