/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to an arena (map/arena.h). A pointer there is the low half of an address: where the
 * page is missing loads give 0 and stores are lost.
 */
#ifndef SKEP_RUN_ARENA_H
#define SKEP_RUN_ARENA_H

#include "isa/isa.h"

struct map;

struct arena_access {
	struct map *map;
	struct bpf_insn insn;
};

/* Carries out one load, store or atomic operation on the registers. */
void arena_access(const struct arena_access *access, u64 *reg);

/* Casts to user space's address: `high` is the upper half of all of them. */
static inline u64 arena_user_address(u64 pointer, u64 high)
{
	return (u32)pointer ? high | (u32)pointer : 0;
}

#endif
