/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workers of a run as CPUs: frames that one hands to another, for which an entry of a
 * cpumap stands. Each pair has a ring with one producer and one consumer, in which a batch is
 * published at once; who sleeps is woken. A frame that is handed over is copied.
 */
#ifndef SKEP_NET_CPU_H
#define SKEP_NET_CPU_H

#include "net/port.h"

/* The longest queue that an entry may have. */
#define CPU_RING_SIZE 16384

/* A frame on its way; its memory follows. */
struct cpu_frame {
	struct frame frame;
	struct port *from;
	struct object *prog; /* of the entry; reference; NULL: none */
	u32 redirects;	     /* so far */
};

struct cpu_ring {
	_Alignas(CACHE_LINE) atomic_uint head; /* the consumer's */
	_Alignas(CACHE_LINE) atomic_uint tail; /* the producer's, as are those below */
	u32 filled;			       /* tail, when all is published */
	u32 head_seen;
	struct cpu_frame **slots; /* CPU_RING_SIZE; owned */
};

struct cpus;

/* What one worker has of it. */
struct cpu {
	_Alignas(CACHE_LINE) atomic_bool sleeps;
	int wake_fd; /* readable when somebody woke it */
	struct cpus *all;
	u32 index;
	u32 first;	 /* the ring that is emptied first the next time */
	u32 unpublished; /* bits: for whom */
};

struct cpus {
	/* Workers that have queues of ports, and frames that are published and not done: at 0
	 * there is nothing more to come. */
	_Alignas(CACHE_LINE) atomic_ullong pending;
	_Alignas(CACHE_LINE) u32 count;
	struct cpu cpu[QUEUES_MAX];
	struct cpu_ring rings[QUEUES_MAX][QUEUES_MAX]; /* from, to */
};

struct cpus *cpus_new(u32 count); /* NULL: out of memory or descriptors */
void cpus_free(struct cpus *cpus);
bool cpus_are_done(const struct cpus *cpus);

/* The worker has queues of ports; it has none any more. */
void cpu_begin(struct cpu *cpu);
void cpu_end(struct cpu *cpu);

/* Which worker an entry stands for. */
static inline u32 cpu_of_key(const struct cpu *cpu, u32 key)
{
	return key % cpu->all->count;
}

/* Puts a copy into the queue, of which at most `length` may be filled. 0, -ENOSPC, -ENOMEM. */
int cpu_put(struct cpu *cpu, u32 to, u32 length, const struct cpu_frame *frame);
/* The others see what was put. */
void cpu_flush(struct cpu *cpu);

/* Up to FRAME_BATCH frames that others put, in their order, and how many. */
u32 cpu_take(struct cpu *cpu, struct cpu_frame **out);
/* Frees them. What became of them is flushed. */
void cpu_done(struct cpu *cpu, struct cpu_frame *const *frames, u32 count);

/* Before and after waiting for wake_fd. False: there is something to do. */
bool cpu_may_sleep(struct cpu *cpu);
void cpu_awake(struct cpu *cpu);

#endif
