/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of cpus: of slots. Each word is changed in one step, as on Linux. */
#include "helper/body.h"
#include "helper/cpumask.h"
#include "map/own.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

typedef _Atomic u64 word;

static u32 cpu_count(const struct run_context *run)
{
	return slots_count(run->env->slots);
}

static u32 word_count(const struct run_context *run)
{
	return (cpu_count(run) + 63) / 64;
}

static u64 get(u64 mask, u32 index)
{
	return atomic_load_explicit((word *)u64_to_ptr(mask) + index, memory_order_relaxed);
}

static void set(u64 mask, u32 index, u64 value)
{
	atomic_store_explicit((word *)u64_to_ptr(mask) + index, value, memory_order_relaxed);
}

/* The bits of a word that stand for a cpu. */
static u64 valid(const struct run_context *run, u32 index)
{
	const u32 left = cpu_count(run) - index * 64;

	return left >= 64 ? ~0ull : (1ull << left) - 1;
}

/* --- the objects --- */
KFUNC_BODY(bpf_cpumask_create)
{
	return ptr_to_u64(own_new(run->env->cpumask));
}

KFUNC_BODY(bpf_cpumask_release)
{
	own_put(u64_to_ptr(r1));
	return 0;
}

KFUNC_BODY(bpf_cpumask_acquire)
{
	own_get(u64_to_ptr(r1));
	return r1;
}

/* --- one cpu --- */
static bool is_cpu(const struct run_context *run, u64 cpu)
{
	return (u32)cpu < cpu_count(run);
}

static word *word_of(u64 mask, u64 cpu)
{
	return (word *)u64_to_ptr(mask) + (u32)cpu / 64;
}

static u64 bit_of(u64 cpu)
{
	return 1ull << (u32)cpu % 64;
}

KFUNC_BODY(bpf_cpumask_set_cpu)
{
	if (is_cpu(run, r1))
		atomic_fetch_or(word_of(r2, r1), bit_of(r1));
	return 0;
}

KFUNC_BODY(bpf_cpumask_clear_cpu)
{
	if (is_cpu(run, r1))
		atomic_fetch_and(word_of(r2, r1), ~bit_of(r1));
	return 0;
}

KFUNC_BODY(bpf_cpumask_test_cpu)
{
	return is_cpu(run, r1) && *word_of(r2, r1) & bit_of(r1);
}

KFUNC_BODY(bpf_cpumask_test_and_set_cpu)
{
	return is_cpu(run, r1) && atomic_fetch_or(word_of(r2, r1), bit_of(r1)) & bit_of(r1);
}

KFUNC_BODY(bpf_cpumask_test_and_clear_cpu)
{
	return is_cpu(run, r1) && atomic_fetch_and(word_of(r2, r1), ~bit_of(r1)) & bit_of(r1);
}

/* --- looking for one: the number of cpus when there is none --- */

/* From `from` on, among the bits of `a` and `b`, all of them turned over where `flip` is. */
static u32 find(const struct run_context *run, u64 a, u64 b, u64 flip, u32 from)
{
	for (u32 i = from / 64; i < word_count(run); i++) {
		u64 bits = ((get(a, i) & get(b, i)) ^ flip) & valid(run, i);

		if (i == from / 64)
			bits &= ~0ull << from % 64;
		if (bits)
			return i * 64 + __builtin_ctzll(bits);
	}
	return cpu_count(run);
}

KFUNC_BODY(bpf_cpumask_first)
{
	return find(run, r1, r1, 0, 0);
}

KFUNC_BODY(bpf_cpumask_first_zero)
{
	return find(run, r1, r1, ~0ull, 0);
}

KFUNC_BODY(bpf_cpumask_first_and)
{
	return find(run, r1, r2, 0, 0);
}

/* The one behind that which this thread got last, all the way round. */
static u32 distribute(const struct run_context *run, u64 a, u64 b)
{
	static _Thread_local u32 last;
	u32 cpu = last + 1 < cpu_count(run) ? find(run, a, b, 0, last + 1) : cpu_count(run);

	if (cpu == cpu_count(run))
		cpu = find(run, a, b, 0, 0);
	if (cpu < cpu_count(run))
		last = cpu;
	return cpu;
}

KFUNC_BODY(bpf_cpumask_any_distribute)
{
	return distribute(run, r1, r1);
}

KFUNC_BODY(bpf_cpumask_any_and_distribute)
{
	return distribute(run, r1, r2);
}

/* --- whole sets --- */
KFUNC_BODY(bpf_cpumask_setall)
{
	for (u32 i = 0; i < word_count(run); i++)
		set(r1, i, valid(run, i));
	return 0;
}

KFUNC_BODY(bpf_cpumask_clear)
{
	for (u32 i = 0; i < word_count(run); i++)
		set(r1, i, 0);
	return 0;
}

KFUNC_BODY(bpf_cpumask_copy)
{
	for (u32 i = 0; i < word_count(run); i++)
		set(r1, i, get(r2, i));
	return 0;
}

KFUNC_BODY(bpf_cpumask_and)
{
	u64 any = 0;

	for (u32 i = 0; i < word_count(run); i++) {
		const u64 bits = get(r2, i) & get(r3, i);

		set(r1, i, bits);
		any |= bits & valid(run, i);
	}
	return any != 0;
}

KFUNC_BODY(bpf_cpumask_or)
{
	for (u32 i = 0; i < word_count(run); i++)
		set(r1, i, get(r2, i) | get(r3, i));
	return 0;
}

KFUNC_BODY(bpf_cpumask_xor)
{
	for (u32 i = 0; i < word_count(run); i++)
		set(r1, i, get(r2, i) ^ get(r3, i));
	return 0;
}

KFUNC_BODY(bpf_cpumask_populate)
{
	const u32 bytes = word_count(run) * sizeof(u64);

	if (r3 < bytes)
		return -EACCES;
	for (u32 i = 0; i < word_count(run); i++) {
		u64 bits;

		memcpy(&bits, (const u8 *)u64_to_ptr(r2) + i * sizeof(bits), sizeof(bits));
		set(r1, i, bits);
	}
	return 0;
}

/* --- questions --- */
KFUNC_BODY(bpf_cpumask_equal)
{
	u64 different = 0;

	for (u32 i = 0; i < word_count(run); i++)
		different |= (get(r1, i) ^ get(r2, i)) & valid(run, i);
	return !different;
}

KFUNC_BODY(bpf_cpumask_intersects)
{
	return find(run, r1, r2, 0, 0) < cpu_count(run);
}

KFUNC_BODY(bpf_cpumask_subset)
{
	u64 outside = 0;

	for (u32 i = 0; i < word_count(run); i++)
		outside |= get(r1, i) & ~get(r2, i) & valid(run, i);
	return !outside;
}

KFUNC_BODY(bpf_cpumask_empty)
{
	return find(run, r1, r1, 0, 0) == cpu_count(run);
}

KFUNC_BODY(bpf_cpumask_full)
{
	return find(run, r1, r1, ~0ull, 0) == cpu_count(run);
}

KFUNC_BODY(bpf_cpumask_weight)
{
	u32 weight = 0;

	for (u32 i = 0; i < word_count(run); i++)
		weight += __builtin_popcountll(get(r1, i) & valid(run, i));
	return weight;
}
