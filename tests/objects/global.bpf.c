// SPDX-License-Identifier: BSD-2-Clause
/*
 * Global functions: verified once, for any arguments that their prototype allows, and called
 * with what it asks for. Weak ones are not optimised across.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "verdict.h"

#define GLOBAL	  __attribute__((noinline, weak))
#define ARG(name) __attribute__((btf_decl_tag("arg:" name)))

struct pair {
	int a, b;
};

struct locked {
	struct bpf_spin_lock lock;
	int number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct locked);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct pair);
} pairs SEC(".maps");

/* --- what the function may rely upon --- */

GLOBAL int number(int a, long b)
{
	return a + b;
}

SEC("tc") ACCEPT int calls_with_numbers(struct __sk_buff *skb)
{
	return number(1, 2);
}

GLOBAL int unchecked(struct pair *pair)
{
	return pair->a;
}

SEC("tc")
REJECT("R1 invalid mem access 'mem_or_null'") LOG_LEVEL(1)
	LOG("Validating unchecked() func#1...") int memory_may_be_null(struct __sk_buff *skb)
{
	struct pair pair = {1, 2};

	return unchecked(&pair);
}

GLOBAL int checked(struct pair *pair)
{
	return pair ? pair->a + pair->b : 0;
}

SEC("tc") ACCEPT int passes_memory(struct __sk_buff *skb)
{
	struct pair pair = {1, 2};

	return checked(&pair);
}

SEC("tc") ACCEPT int passes_null(struct __sk_buff *skb)
{
	return checked(0);
}

SEC("tc")
REJECT("invalid read from stack R1 off=-4 size=8") LOG_LEVEL(1)
	LOG("Caller passes invalid args into func#1 ('checked')") int passes_too_little(
		struct __sk_buff *skb)
{
	int number = 0;

	return checked((void *)&number);
}

SEC("tc") REJECT("R1 type=scalar expected=fp") int passes_a_number(struct __sk_buff *skb)
{
	return checked((void *)(long)skb->len);
}

GLOBAL int beyond(struct pair *pair)
{
	return pair ? ((int *)pair)[2] : 0;
}

SEC("tc")
REJECT("invalid access to memory, mem_size=8 off=8 size=4") int reads_beyond_its_memory(
	struct __sk_buff *skb)
{
	struct pair pair = {1, 2};

	return beyond(&pair);
}

GLOBAL int nonnull(struct pair *pair ARG("nonnull"))
{
	return pair->a + pair->b;
}

SEC("tc") ACCEPT int passes_nonnull(struct __sk_buff *skb)
{
	struct pair pair = {1, 2};

	return nonnull(&pair);
}

SEC("tc")
REJECT("arg#0 is expected to be non-NULL") LINUX_ACCEPTS
	int passes_constant_null(struct __sk_buff *skb)
{
	return nonnull(0);
}

SEC("tc") REJECT("arg#0 is expected to be non-NULL") int passes_unchecked(struct __sk_buff *skb)
{
	int key = 0;

	return nonnull(bpf_map_lookup_elem(&pairs, &key));
}

SEC("tc") ACCEPT int passes_what_may_be_null(struct __sk_buff *skb)
{
	int key = 0;

	return checked(bpf_map_lookup_elem(&pairs, &key));
}

SEC("tc")
REJECT("bpf_spin_lock cannot be accessed directly by load/store") int passes_a_lock(
	struct __sk_buff *skb)
{
	int key = 0;

	return checked(bpf_map_lookup_elem(&locks, &key));
}

SEC("tc") ACCEPT int passes_packet(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;

	return data + 8 <= (void *)(long)skb->data_end ? checked(data) : 0;
}

SEC("tc")
REJECT("invalid access to packet, off=0 size=8") int passes_too_little_packet(
	struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;

	return data + 7 <= (void *)(long)skb->data_end ? checked(data) : 0;
}

/* --- contexts --- */

GLOBAL int reads_context(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("tc") ACCEPT int passes_context(struct __sk_buff *skb)
{
	return reads_context(skb);
}

SEC("xdp") REJECT("R1 type=ctx expected=fp") int passes_other_context(struct xdp_md *xdp)
{
	return reads_context((void *)xdp);
}

SEC("tc")
REJECT("dereference of modified ctx ptr R1 off=8 disallowed") NAKED
	int passes_moved_context(void)
{
	asm volatile("r1 += 8; call reads_context; r0 = 0; exit;");
}

GLOBAL int reads_void(void *context ARG("ctx"))
{
	return ((struct xdp_md *)context)->data != 0;
}

SEC("xdp") ACCEPT int passes_tagged_context(struct xdp_md *xdp)
{
	return reads_void(xdp);
}

SEC("xdp") REJECT("arg#0 expects pointer to ctx") int passes_no_context(struct xdp_md *xdp)
{
	struct pair pair = {};

	return reads_void(&pair);
}

GLOBAL int wrong_context(struct __sk_buff *skb ARG("ctx"))
{
	return 0;
}

SEC("xdp")
REJECT("arg#0 should be `struct xdp_md *`") int context_of_another_type(struct xdp_md *xdp)
{
	return wrong_context((void *)xdp);
}

GLOBAL int context_nonnull(struct xdp_md *xdp ARG("ctx") ARG("nonnull"))
{
	return 0;
}

SEC("xdp")
REJECT("arg#0 has invalid combination of tags") int context_with_other_tags(struct xdp_md *xdp)
{
	return context_nonnull(xdp);
}

/* --- other prototypes --- */

GLOBAL int unknown_tag(int *pointer ARG("wonderful"))
{
	return 0;
}

SEC("tc")
REJECT("arg#0 has unsupported set of tags") int passes_wonderful(struct __sk_buff *skb)
{
	int number = 0;

	return unknown_tag(&number);
}

GLOBAL int tagged_number(int number ARG("nonnull"))
{
	return 0;
}

SEC("tc")
REJECT("arg#0 has pointer tag, but is not a pointer type") int passes_tagged_number(
	struct __sk_buff *skb)
{
	return tagged_number(1);
}

GLOBAL int takes_structure(struct pair pair)
{
	return 0;
}

SEC("tc")
REJECT("Arg#0 type STRUCT in takes_structure() is not supported yet.") int passes_structure(
	struct __sk_buff *skb)
{
	struct pair pair = {};

	return takes_structure(pair);
}

GLOBAL int takes_void(void *pointer)
{
	return 0;
}

SEC("tc")
REJECT("arg#0 reference type('UNKNOWN ') size cannot be determined: -22") int passes_to_void(
	struct __sk_buff *skb)
{
	return takes_void(skb);
}

GLOBAL struct pair *gives_pointer(int number)
{
	return 0;
}

SEC("tc")
REJECT("Global function gives_pointer() doesn't return scalar. Only those are supported.")
	LINUX_REJECTS("Caller passes invalid args into func#1 ('gives_pointer')") int result_is_a_pointer(
		struct __sk_buff *skb)
{
	return gives_pointer(1) != 0;
}

GLOBAL int returns_its_argument(int *pointer)
{
	int result;

	asm volatile("%0 = %1;" : "=r"(result) : "r"(pointer));
	return result;
}

SEC("tc")
REJECT("At subprogram exit the register R0 is not a scalar value (mem_or_null)") int result_is_an_address(
	struct __sk_buff *skb)
{
	int number = 0;

	return returns_its_argument(&number);
}

GLOBAL int untrusted(char *anything ARG("untrusted"))
{
	return anything[1000];
}

SEC("tc") ACCEPT int passes_anything(struct __sk_buff *skb)
{
	return untrusted((char *)skb);
}

GLOBAL int writes_untrusted(char *anything ARG("untrusted"))
{
	return anything[0] = 1;
}

SEC("tc")
REJECT("R1 cannot write into rdonly_untrusted_mem") int untrusted_is_read_only(
	struct __sk_buff *skb)
{
	return writes_untrusted((char *)skb);
}

GLOBAL int untrusted_nonnull(char *anything ARG("untrusted") ARG("nonnull"))
{
	return 0;
}

SEC("tc")
REJECT("arg#0 untrusted cannot be combined with any other tags") int untrusted_is_alone(
	struct __sk_buff *skb)
{
	return untrusted_nonnull((char *)skb);
}

GLOBAL int untrusted_pointer(int **pointer ARG("untrusted"))
{
	return 0;
}

SEC("tc")
REJECT("arg#0 reference type('PTR (anon)') candidate matching error: -22") int untrusted_points_to_a_pointer(
	struct __sk_buff *skb)
{
	return untrusted_pointer((int **)skb);
}

struct static_key_mod; /* the kernel does not define it either */

GLOBAL int untrusted_incomplete(struct static_key_mod *object ARG("untrusted"))
{
	return 0;
}

SEC("tc")
REJECT(", but only struct or primitive types are allowed") int untrusted_points_to_no_structure(
	struct __sk_buff *skb)
{
	return untrusted_incomplete((struct static_key_mod *)skb);
}

GLOBAL int arena_nonnull(int *pointer ARG("arena") ARG("nonnull"))
{
	return 0;
}

SEC("tc")
REJECT("arg#0 arena cannot be combined with any other tags") int arena_is_alone(
	struct __sk_buff *skb)
{
	return arena_nonnull((int *)skb);
}

GLOBAL int takes_dynptr(struct bpf_dynptr *dynptr)
{
	return 0;
}

SEC("tc")
REJECT("Expected an initialized dynptr as arg #0") int passes_no_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr dynptr = {};

	return takes_dynptr(&dynptr);
}

typedef struct {
	int number;
} nameless;

GLOBAL int context_nameless(nameless *context ARG("ctx"))
{
	return 0;
}

SEC("tc") REJECT("arg#0 type doesn't have a name") int passes_nameless(struct __sk_buff *skb)
{
	return context_nameless((nameless *)skb);
}

GLOBAL int context_of_words(struct pair *context ARG("ctx"))
{
	return 0;
}

SEC("tp_btf/task_newtask")
REJECT("arg#0 should be void pointer") int passes_words(void *context)
{
	return context_of_words(context);
}

GLOBAL int arena(int *pointer ARG("arena"))
{
	return 0;
}

SEC("tc")
REJECT("R1 is not a pointer to arena or scalar.") int stack_is_no_arena(struct __sk_buff *skb)
{
	int number = 0;

	return arena(&number);
}

SEC("tc") ACCEPT int passes_arena_address(struct __sk_buff *skb)
{
	return arena((int *)(long)skb->len);
}

SEC("tc") REJECT("R1 is not a scalar") NAKED int passes_pointer_as_number(void)
{
	asm volatile("r2 = 1; call number; r0 = 0; exit;");
}

SEC("tc") REJECT("R2 is not a scalar") NAKED int passes_nothing(void)
{
	asm volatile("r1 = 1; call number; r0 = 0; exit;");
}

/* --- memory that is a context or an object --- */

GLOBAL int reads_number(int *p)
{
	return p ? *p : 0;
}

SEC("syscall") ACCEPT int calls_with_context_as_memory(void *ctx)
{
	return reads_number(ctx);
}

SEC("tc") REJECT("R1 type=ctx expected=fp") int calls_with_other_context(void *ctx)
{
	return reads_number(ctx);
}

SEC("tc") REJECT("only read is supported") int calls_with_object_as_memory(void *ctx)
{
	return reads_number((void *)bpf_get_current_task_btf());
}

/* The tag says no more than that an address in the arena may come, too. */
GLOBAL int follows_arena(int *p ARG("arena"))
{
	return *p;
}

SEC("syscall") REJECT("R1 invalid mem access 'scalar'") int calls_arena(void *ctx)
{
	return follows_arena((int *)(long)bpf_get_prandom_u32());
}

/* --- functions one after the other --- */

/* A CPU that speculates goes the way to the load, too, and that way is walked last. */
GLOBAL NAKED int decided(void)
{
	asm volatile("r0 = 1; if r0 == 2 goto +1; exit; r0 = *(u64 *)(r10 - 8); exit;");
}

SEC("socket")
REJECT("R1 invalid mem access 'mem_or_null'") CAP_BPF_REJECTS("R1 invalid mem access 'mem_or_null'")
int walked_after_speculation(struct __sk_buff *skb)
{
	struct pair pair = {};

	return decided() + unchecked(&pair);
}

char _license[] SEC("license") = "GPL";
