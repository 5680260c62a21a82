// SPDX-License-Identifier: BSD-2-Clause
/* Sets of cpus. Only cpu 0 and what lies behind the last one are sure to be the same everywhere. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
struct bpf_cpumask *bpf_cpumask_acquire(struct bpf_cpumask *mask) __ksym;
u32 bpf_cpumask_first(const struct cpumask *mask) __ksym;
u32 bpf_cpumask_first_zero(const struct cpumask *mask) __ksym;
u32 bpf_cpumask_first_and(const struct cpumask *a, const struct cpumask *b) __ksym;
void bpf_cpumask_set_cpu(u32 cpu, struct bpf_cpumask *mask) __ksym;
void bpf_cpumask_clear_cpu(u32 cpu, struct bpf_cpumask *mask) __ksym;
bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *mask) __ksym;
bool bpf_cpumask_test_and_set_cpu(u32 cpu, struct bpf_cpumask *mask) __ksym;
bool bpf_cpumask_test_and_clear_cpu(u32 cpu, struct bpf_cpumask *mask) __ksym;
void bpf_cpumask_setall(struct bpf_cpumask *mask) __ksym;
void bpf_cpumask_clear(struct bpf_cpumask *mask) __ksym;
bool bpf_cpumask_and(struct bpf_cpumask *to, const struct cpumask *a, const struct cpumask *b) __ksym;
void bpf_cpumask_or(struct bpf_cpumask *to, const struct cpumask *a, const struct cpumask *b) __ksym;
void bpf_cpumask_xor(struct bpf_cpumask *to, const struct cpumask *a, const struct cpumask *b) __ksym;
bool bpf_cpumask_equal(const struct cpumask *a, const struct cpumask *b) __ksym;
bool bpf_cpumask_intersects(const struct cpumask *a, const struct cpumask *b) __ksym;
bool bpf_cpumask_subset(const struct cpumask *a, const struct cpumask *b) __ksym;
bool bpf_cpumask_empty(const struct cpumask *mask) __ksym;
bool bpf_cpumask_full(const struct cpumask *mask) __ksym;
void bpf_cpumask_copy(struct bpf_cpumask *to, const struct cpumask *from) __ksym;
u32 bpf_cpumask_any_distribute(const struct cpumask *mask) __ksym;
u32 bpf_cpumask_any_and_distribute(const struct cpumask *a, const struct cpumask *b) __ksym;
u32 bpf_cpumask_weight(const struct cpumask *mask) __ksym;
int bpf_cpumask_populate(struct cpumask *mask, void *from, size_t size) __ksym;

struct holder {
	struct bpf_cpumask __kptr *mask;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct holder);
} holders SEC(".maps");

long seen[64];
u64 words[128];

static void look(int at, struct bpf_cpumask *a, struct bpf_cpumask *b)
{
	const struct cpumask *x = (void *)a, *y = (void *)b;
	long bits = bpf_cpumask_equal(x, y) | bpf_cpumask_intersects(x, y) << 1 |
		    bpf_cpumask_subset(x, y) << 2 | bpf_cpumask_empty(x) << 3 | bpf_cpumask_full(x) << 4 |
		    bpf_cpumask_test_cpu(0, x) << 5 | bpf_cpumask_test_cpu(100000, x) << 6;

	seen[at & 63] = bits << 40 | (long)bpf_cpumask_first(x) << 24 | bpf_cpumask_first_zero(x) << 16 |
			bpf_cpumask_weight(x) << 8 | bpf_cpumask_first_and(x, y);
}

SEC("syscall") int sets(void *ctx)
{
	struct bpf_cpumask *a = bpf_cpumask_create(), *b;

	if (!a)
		return __LINE__;
	b = bpf_cpumask_create();
	if (!b) {
		bpf_cpumask_release(a);
		return __LINE__;
	}
	look(0, a, b);
	bpf_cpumask_set_cpu(0, a);
	bpf_cpumask_set_cpu(100000, a);
	look(1, a, b);
	look(2, b, a);
	bpf_cpumask_setall(b);
	look(3, a, b);
	look(4, b, a);
	seen[5] = bpf_cpumask_and(a, (void *)a, (void *)b);
	look(6, a, b);
	bpf_cpumask_xor(a, (void *)a, (void *)b);
	look(7, a, b);
	bpf_cpumask_or(a, (void *)a, (void *)b);
	look(8, a, b);
	bpf_cpumask_clear_cpu(0, a);
	look(9, a, b);
	seen[10] = bpf_cpumask_test_and_set_cpu(0, a);
	seen[11] = bpf_cpumask_test_and_set_cpu(0, a);
	seen[12] = bpf_cpumask_test_and_set_cpu(100000, a);
	seen[13] = bpf_cpumask_test_and_clear_cpu(0, a);
	seen[14] = bpf_cpumask_test_and_clear_cpu(0, a);
	bpf_cpumask_clear(b);
	seen[15] = bpf_cpumask_any_distribute((void *)b);
	seen[16] = bpf_cpumask_any_and_distribute((void *)a, (void *)b);
	bpf_cpumask_set_cpu(0, b);
	seen[17] = bpf_cpumask_any_distribute((void *)b);
	seen[18] = bpf_cpumask_any_distribute((void *)b);
	bpf_cpumask_copy(a, (void *)b);
	look(19, a, b);
	words[0] = 1;
	seen[20] = bpf_cpumask_populate((void *)a, words, sizeof(words));
	look(21, a, b);
	seen[22] = bpf_cpumask_populate((void *)a, words, 4);
	bpf_cpumask_release(b);
	bpf_cpumask_release(a);
	return 0;
}

SEC("syscall") int kept_in_a_value(void *ctx)
{
	struct bpf_cpumask *mask = bpf_cpumask_create(), *more;
	u32 key = 0;
	struct holder *holder = bpf_map_lookup_elem(&holders, &key);

	if (!mask)
		return __LINE__;
	more = bpf_cpumask_acquire(mask);
	bpf_cpumask_set_cpu(0, mask);
	if (!holder) {
		bpf_cpumask_release(more);
		bpf_cpumask_release(mask);
		return __LINE__;
	}
	mask = bpf_kptr_xchg(&holder->mask, mask);
	if (mask)
		bpf_cpumask_release(mask);
	seen[0] = bpf_cpumask_first((void *)more);
	bpf_cpumask_release(more);
	return 0;
}

char _license[] SEC("license") = "GPL";
