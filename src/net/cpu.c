/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How much the entry's program may make a frame longer. */
#define TAILROOM 512

static int cpu_init(struct cpus *cpus, u32 index)
{
	struct cpu *cpu = &cpus->cpu[index];

	cpu->all = cpus;
	cpu->index = index;
	cpu->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cpu->wake_fd < 0)
		return -errno;
	/* Pages that nobody touches cost nothing. */
	for (u32 to = 0; to < cpus->count; to++) {
		struct cpu_ring *ring = &cpus->rings[index][to];

		if (to == index)
			continue;
		ring->slots = calloc(CPU_RING_SIZE, sizeof(*ring->slots));
		if (!ring->slots)
			return -ENOMEM;
	}
	return 0;
}

struct cpus *cpus_new(u32 count)
{
	struct cpus *cpus = aligned_alloc(CACHE_LINE, round_up(sizeof(*cpus), CACHE_LINE));

	if (!cpus)
		return NULL;
	memset(cpus, 0, sizeof(*cpus));
	cpus->count = count;
	for (u32 i = 0; i < QUEUES_MAX; i++)
		cpus->cpu[i].wake_fd = -1;
	for (u32 i = 0; i < count; i++) {
		if (cpu_init(cpus, i)) {
			cpus_free(cpus);
			return NULL;
		}
	}
	return cpus;
}

void cpus_free(struct cpus *cpus)
{
	if (!cpus)
		return;
	for (u32 i = 0; i < cpus->count; i++) {
		if (cpus->cpu[i].wake_fd >= 0)
			close(cpus->cpu[i].wake_fd);
		for (u32 to = 0; to < cpus->count; to++)
			free(cpus->rings[i][to].slots);
	}
	free(cpus);
}

/* --- who sleeps, who is woken: all in one order (seq_cst), so that either the producer sees
 * the sleeper or the sleeper what was published --- */

static void wake(struct cpu *cpu)
{
	const u64 one = 1;

	if (!atomic_load(&cpu->sleeps) || !atomic_exchange(&cpu->sleeps, false))
		return;
	if (write(cpu->wake_fd, &one, sizeof(one)) < 0)
		return; /* already full: it will wake up */
}

bool cpus_are_done(const struct cpus *cpus)
{
	return !atomic_load(&cpus->pending);
}

static bool has_frames(const struct cpu *cpu)
{
	for (u32 from = 0; from < cpu->all->count; from++) {
		const struct cpu_ring *ring = &cpu->all->rings[from][cpu->index];

		if (atomic_load(&ring->tail) != atomic_load(&ring->head))
			return true;
	}
	return false;
}

bool cpu_may_sleep(struct cpu *cpu)
{
	atomic_store(&cpu->sleeps, true);
	if (!has_frames(cpu) && !cpus_are_done(cpu->all))
		return true;
	cpu_awake(cpu);
	return false;
}

void cpu_awake(struct cpu *cpu)
{
	u64 count;

	atomic_store(&cpu->sleeps, false);
	if (read(cpu->wake_fd, &count, sizeof(count)) < 0)
		return; /* nobody woke it; who is about to ends the next wait at once */
}

void cpu_begin(struct cpu *cpu)
{
	atomic_fetch_add(&cpu->all->pending, 1);
}

static void take_off(struct cpus *cpus, u32 count)
{
	if (atomic_fetch_sub(&cpus->pending, count) != count)
		return;
	for (u32 i = 0; i < cpus->count; i++)
		wake(&cpus->cpu[i]);
}

void cpu_end(struct cpu *cpu)
{
	take_off(cpu->all, 1);
}

/* --- the producer --- */

static bool is_full(struct cpu_ring *ring, u32 length)
{
	length = min(length, (u32)CPU_RING_SIZE);
	if (ring->filled - ring->head_seen < length)
		return false;
	/* Acquire pairs with the release of cpu_take(): the slots were read. */
	ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
	return ring->filled - ring->head_seen >= length;
}

static struct cpu_frame *copy_new(const struct cpu_frame *original)
{
	const struct frame *frame = &original->frame;
	const u32 used = frame->metadata + frame->length;
	const size_t size = (size_t)PACKET_HEADROOM + used + TAILROOM;
	struct cpu_frame *copy = malloc(sizeof(*copy) + size);

	if (!copy)
		return NULL;
	*copy = *original;
	if (copy->prog)
		object_get(copy->prog);
	copy->frame.memory = (u8 *)(copy + 1);
	copy->frame.end = copy->frame.memory + size;
	copy->frame.data = copy->frame.memory + PACKET_HEADROOM + frame->metadata;
	/* A capture's note goes with the batch that it came with. */
	copy->frame.known &= FRAME_ALL;
	copy->frame.note = NULL;
	memcpy(copy->frame.memory + PACKET_HEADROOM, frame->data - frame->metadata, used);
	return copy;
}

int cpu_put(struct cpu *cpu, u32 to, u32 length, const struct cpu_frame *frame)
{
	struct cpu_ring *ring = &cpu->all->rings[cpu->index][to];
	struct cpu_frame *copy;

	if (is_full(ring, length))
		return -ENOSPC;
	copy = copy_new(frame);
	if (!copy)
		return -ENOMEM;
	ring->slots[ring->filled++ % CPU_RING_SIZE] = copy;
	cpu->unpublished |= 1u << to;
	return 0;
}

static void publish(struct cpu *cpu, u32 to)
{
	struct cpu_ring *ring = &cpu->all->rings[cpu->index][to];
	const u32 tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	/* They are pending before anybody can be done with them. */
	atomic_fetch_add(&cpu->all->pending, ring->filled - tail);
	atomic_store(&ring->tail, ring->filled);
	wake(&cpu->all->cpu[to]);
}

void cpu_flush(struct cpu *cpu)
{
	for (; cpu->unpublished; cpu->unpublished &= cpu->unpublished - 1)
		publish(cpu, __builtin_ctz(cpu->unpublished));
}

/* --- the consumer --- */

static u32 take_from(struct cpu_ring *ring, struct cpu_frame **out, u32 max)
{
	/* Acquire pairs with the store of publish(). */
	const u32 tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	const u32 head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	const u32 count = min(tail - head, max);

	for (u32 i = 0; i < count; i++)
		out[i] = ring->slots[(head + i) % CPU_RING_SIZE];
	if (count)
		atomic_store_explicit(&ring->head, head + count, memory_order_release);
	return count;
}

u32 cpu_take(struct cpu *cpu, struct cpu_frame **out)
{
	const u32 others = cpu->all->count;
	u32 count = 0;

	for (u32 i = 0; i < others && count < FRAME_BATCH; i++) {
		const u32 from = (cpu->first + i) % others;

		count += take_from(&cpu->all->rings[from][cpu->index], out + count,
				   FRAME_BATCH - count);
	}
	cpu->first = (cpu->first + 1) % others;
	return count;
}

void cpu_done(struct cpu *cpu, struct cpu_frame *const *frames, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		object_put(frames[i]->prog);
		free(frames[i]);
	}
	take_off(cpu->all, count);
}
