// SPDX-License-Identifier: BSD-2-Clause
/*
 * Arenas: globals in one and an address of 64 bits for it, which only newer loaders know, and what
 * programs may do with addresses in it.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "verdict.h"

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 100);
	enum { arena_address = 1ULL << 44 } map_extra;
} arena SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, long);
} values SEC(".maps");

int __arena zero;
int __arena seven = 7;

void __arena *bpf_arena_alloc_pages(void *map, void __arena *address, __u32 pages, int node,
				    __u64 flags) __ksym;
int bpf_arena_reserve_pages(void *map, void __arena *address, __u32 pages) __ksym;
void bpf_arena_free_pages(void *map, void __arena *address, __u32 pages) __ksym;

SEC("syscall") ACCEPT int counts_in_the_arena(void *ctx)
{
	int __arena *page = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);

	zero++;
	if (page)
		*page = seven;
	bpf_arena_free_pages(&arena, page, 1);
	return 0;
}

SEC("syscall") ACCEPT int takes_any_map_and_address(void *ctx)
{
	void __arena *page = bpf_arena_alloc_pages(&values, (void __arena *)ctx, 0, 7, 7);

	bpf_arena_free_pages(&values, page, -1);
	return bpf_arena_reserve_pages(&arena, page + 5, 1);
}

SEC("syscall") REJECT("R1 isn't map pointer") int gives_no_map(void *ctx)
{
	return (long)bpf_arena_alloc_pages(ctx, 0, 1, -1, 0);
}

SEC("syscall")
REJECT("R1 invalid mem access 'scalar'") NAKED int pages_are_numbers(void)
{
	asm volatile("r1 = %[arena] ll; r2 = 0; r3 = 1; r4 = -1; r5 = 0; call %[alloc]; r1 = r0;"
		     "*(u64 *)(r1 + 0) = 1; r0 = 0; exit;" ::[arena] "i"(&arena),
		     [alloc] "i"(bpf_arena_alloc_pages));
}

SEC("tc") REJECT("program must be sleepable to call sleepable kfunc bpf_arena_alloc_pages")
int may_not_sleep(struct __sk_buff *skb)
{
	return (long)bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
}

SEC("tc") ACCEPT int reads_in_any_program(struct __sk_buff *skb)
{
	return zero + seven;
}

SEC("socket")
ACCEPT CAP_BPF_REJECTS("CAP_BPF and CAP_PERFMON are required to use arena") int needs_arena_rights(
	struct __sk_buff *skb)
{
	return zero;
}

/* r1: an address in the arena, r2: the context, r3: a number. */
#define IN_ARENA                                       \
	"r2 = r1;"                                     \
	"r3 = *(u32 *)(r1 + 0);"                       \
	"r1 = %[zero] ll;"                             \
	"r1 = addr_space_cast(r1, 0, 1);"

#define BODY(code) asm volatile(IN_ARENA code "r0 = 0; exit;" ::[zero] "i"(&zero), [values] "i"(&values))

SEC("tc") ACCEPT NAKED int any_arithmetic(void)
{
	BODY("r1 += r3; r1 *= 5; r1 ^= 7; w1 += 1; r1 <<= 3; r1 -= r3; *(u8 *)(r1 + 32000) = 1;");
}

SEC("tc") ACCEPT NAKED int adds_pointers_to_it(void)
{
	BODY("r1 += r2; *(u8 *)(r1 + 0) = 1;");
}

SEC("tc") ACCEPT NAKED int becomes_a_number(void)
{
	BODY("r1 = addr_space_cast(r1, 1, 0); r1 &= 7; r3 += r1;");
}

SEC("tc") ACCEPT NAKED int spills_and_compares(void)
{
	BODY("*(u64 *)(r10 - 8) = r1; r4 = *(u64 *)(r10 - 8); if r4 == r1 goto +1; r3 = 0;"
	     "if r4 == 0 goto +1; *(u64 *)(r4 + 3) = 1;");
}

SEC("tc") ACCEPT NAKED int keeps_pointers_in_it(void)
{
	BODY("*(u64 *)(r1 + 0) = r2; *(u64 *)(r1 + 8) = r10;");
}

SEC("tc") ACCEPT NAKED int casts_anything(void)
{
	BODY("r1 = addr_space_cast(r10, 0, 1); *(u64 *)(r1 + 0) = 3;");
}

SEC("tc") ACCEPT NAKED int atomics(void)
{
	BODY("lock *(u64 *)(r1 + 0) += r3; r3 = xchg_64(r1 + 8, r3); r3 = atomic_fetch_add((u64 *)(r1 + 0), r3);");
}

SEC("tc") FLAGS("strict-alignment") ACCEPT NAKED int needs_no_alignment(void)
{
	BODY("lock *(u64 *)(r1 + 3) += r3; r3 = *(u32 *)(r1 + 1);");
}

SEC("tc") REJECT("BPF_ATOMIC stores into R1 arena is not allowed") NAKED int fetches_and(void)
{
	BODY("r3 = atomic_fetch_and((u64 *)(r1 + 0), r3);");
}

SEC("tc") ACCEPT NAKED int sign_extends(void)
{
	BODY("r3 = *(s8 *)(r1 + 0);");
}

SEC("tc") ACCEPT NAKED int is_added_to_anything(void)
{
	BODY("r3 += r1; w3 -= w1; *(u8 *)(r3 + 0) = 1; r4 = r10; r4 += r1; *(u8 *)(r4 + 0) = 1; w2 += w1;"
	     "*(u8 *)(r2 + 0) = 1;");
}

SEC("tc") REJECT("R1 invalid mem access 'scalar'") NAKED int is_negated(void)
{
	BODY("r1 = -r1; *(u8 *)(r1 + 0) = 1;");
}

SEC("tc") REJECT("R3 invalid mem access 'scalar'") NAKED int is_cut_off(void)
{
	BODY("w3 = w1; *(u8 *)(r3 + 0) = 1;");
}

SEC("tc") REJECT("same insn cannot be used with different pointers") NAKED int arena_or_stack(void)
{
	BODY("if r3 == 0 goto +1; r1 = r10; *(u64 *)(r1 - 8) = 3;");
}

SEC("tc") REJECT("R1 invalid mem access 'scalar'") NAKED int forgets_the_cast(void)
{
	BODY("r1 = %[zero] ll; *(u64 *)(r1 + 0) = 3;");
}

SEC("tc") REJECT("R2 type=arena expected=fp") NAKED int is_no_key(void)
{
	BODY("r2 = r1; r1 = %[values] ll; call 1;");
}

SEC("cgroup/skb")
REJECT("At program exit the register R0 is not a known value (arena)") NAKED int is_no_result(void)
{
	asm volatile(IN_ARENA "r0 = r1; exit;" ::[zero] "i"(&zero));
}

SEC("tc")
REJECT("addr_space_cast insn can only be used in a program that has an associated arena") NAKED int has_no_arena(void)
{
	asm volatile("r1 = addr_space_cast(r1, 0, 1); r0 = 0; exit;");
}

char _license[] SEC("license") = "GPL";
