/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps and types of generated programs, made twice: in an engine whose programs run in the
 * checked interpreter, and in the running kernel, where bpf(2) may be used.
 */
#ifndef SKEP_FUZZ_WORLD_H
#define SKEP_FUZZ_WORLD_H

#include "base/strbuf.h"
#include "fuzz/generate.h"
#include "run/run.h"
#include <pthread.h>

struct world {
	struct skep_engine *engine;
	int skep_maps[GENERATED_MAPS], linux_maps[GENERATED_MAPS];
	struct map *maps[GENERATED_MAPS]; /* references */
	int skep_types, linux_types;
	struct object *types;
	const struct btf_view *types_view;
	const struct btf_view *kernel;		/* NULL: this kernel shows none */
	u32 kfuncs[GENERATED_KFUNCS];		/* type ids in the kernel; 0: it has none */
	struct bpf_func_info funcs[FUZZ_FUNCS]; /* of the program that is loaded */

	pthread_mutex_t lock;
	struct strbuf violation; /* what the checked interpreter said last; "": nothing */
};

int world_linux_bpf(int cmd, union bpf_attr *attr);

/* `with_linux` becomes false where bpf(2) may not be used. False: skep's half cannot be made.
 */
bool world_open(struct world *world, bool *with_linux);
void world_close(struct world *world);

/* Kernel functions by their ids, in place of their indices. */
void world_name_kfuncs(const struct world *world, struct generated *program);
/* The kernel's descriptors of maps in place of the indices. */
void world_name_linux_maps(const struct world *world, struct generated *program);
/* The functions' types; their number, 0: none is named. */
u32 world_funcs(struct world *world, const struct generated *program);

/* For the verifier: the program with the world's maps and types. The caller adds rights, limits and
 * what it wants to know. */
struct verify_input world_input(struct world *world, const struct generated *program);

/* Whether the checked interpreter has said something since this was asked last. */
bool world_violated(struct world *world, struct strbuf *text);

#endif
