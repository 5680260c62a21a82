// SPDX-License-Identifier: BSD-2-Clause
/* Arenas: memory that a program and user space share by addresses. */
#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

#define __ulong(name, val) enum { ___bpf_concat(__unique_value, __COUNTER__) = val } name
#define __arena __attribute__((address_space(1)))

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, u32 page_cnt, int node_id,
				    u64 flags) __ksym __weak;
void bpf_arena_free_pages(void *map, void __arena *ptr, u32 page_cnt) __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 100);
	__ulong(map_extra, 1ull << 44);
} arena SEC(".maps");


struct element {
	struct element __arena *next;
	u64 value;
};

SEC("syscall") ACCEPT int pages(void *ctx)
{
	volatile int __arena *page = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	if (!page)
		return 1;
	page[0] = 1;
	page[1000] = page[0];
	bpf_arena_free_pages(&arena, (void __arena *)page, 1);
	return 0;
}

SEC("syscall") ACCEPT int nodes(void *ctx)
{
	struct element __arena *a;

	a = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	if (!a)
		return 1;
	a->next = a + 1;
	a->next->value = 5;
	a[2].value = a->next->value;
	return 0;
}

SEC("socket") REJECT("program must be sleepable to call sleepable kfunc bpf_arena_alloc_pages")
int pages_without_sleep(void *ctx)
{
	volatile int __arena *page = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	return !!page;
}

SEC("syscall") REJECT("R1 type=scalar expected=fp") int an_address_for_a_helper(void *ctx)
{
	void __arena *page = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	return bpf_get_current_comm((void *)(long)page, 16);
}

SEC("socket")
REJECT("addr_space_cast insn can only be used in a program that has an associated arena")
NAKED int a_cast_without_arena(void)
{
	asm volatile("r0 = 0; r0 = addr_space_cast(r0, 0, 1); r0 = 0; exit;" ::: "r0");
}

char _license[] SEC("license") = "GPL";
