/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the targets of bpf(2) start from: one engine for the whole run with some objects, and
 * memory that ends at a page nobody can touch, so that a size that is too large faults in the
 * caller's memory as it would on Linux.
 */
#ifndef SKEP_FUZZ_BPF_WORLD_H
#define SKEP_FUZZ_BPF_WORLD_H

#include "base/types.h"
#include "fuzz/fuzz.h"
#include <linux/bpf.h>
#include <skep/skep.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_SIZE 65536
#define OBJECTS	    8

struct bpf_world {
	struct skep_engine *engine;
	u8 *memory; /* MEMORY_SIZE bytes, then an unmapped page */
	int object[OBJECTS];
};

static inline int world_map(struct bpf_world *world, u32 type, u32 key, u32 value, u32 entries,
			    u32 flags)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = key,
			       .value_size = value,
			       .max_entries = entries,
			       .map_flags = flags};
	int fd = skep_bpf(world->engine, BPF_MAP_CREATE, &attr, sizeof(attr));

	REQUIRE(fd >= 0);
	return fd;
}

static inline int world_prog(struct bpf_world *world)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .insns = ptr_to_u64(insns),
			       .insn_cnt = 2,
			       .license = ptr_to_u64("GPL")};
	int fd = skep_bpf(world->engine, BPF_PROG_LOAD, &attr, sizeof(attr));

	REQUIRE(fd >= 0);
	return fd;
}

/* Only that explanations can be made. */
static inline void world_explain(void *cookie, struct skep_explanation *explanation)
{
	skep_explanation_free(explanation);
}

/* An engine that checks says here when a verified program did what its facts exclude. */
static inline void world_trace(void *cookie, const char *text, size_t length)
{
	REQUIRE(!memmem(text, length, "checked interpreter:", 20));
}

static inline struct bpf_world *bpf_world(void)
{
	static struct bpf_world world;
	const struct skep_engine_opts opts = {
		.sz = sizeof(opts),
		.checked = true,
		.trace = world_trace,
		.explain = world_explain,
	};
	u32 n = 0;

	if (world.engine)
		return &world;
	world.engine = skep_engine_new(&opts, NULL);
	REQUIRE(world.engine);
	world.memory = mmap(NULL, MEMORY_SIZE + 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(world.memory != MAP_FAILED);
	mprotect(world.memory + MEMORY_SIZE, 4096, PROT_NONE);
	world.object[n++] = world_map(&world, BPF_MAP_TYPE_ARRAY, 4, 16, 8, BPF_F_MMAPABLE);
	world.object[n++] = world_map(&world, BPF_MAP_TYPE_HASH, 4, 16, 8, 0);
	world.object[n++] = world_map(&world, BPF_MAP_TYPE_PERCPU_HASH, 8, 8, 8, 0);
	world.object[n++] =
		world_map(&world, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 8, BPF_F_NO_PREALLOC);
	world.object[n++] = world_map(&world, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	world.object[n++] = world_map(&world, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	world.object[n++] = world_map(&world, BPF_MAP_TYPE_QUEUE, 0, 16, 4, 0);
	world.object[n++] = world_prog(&world);
	REQUIRE(n == OBJECTS);
	return &world;
}

#endif
