/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of values. A value may hold fields with a meaning of their own (locks, timers, kernel
 * pointers): no copy writes over them, and user space reads them as zeros.
 */
#ifndef SKEP_MAP_VALUE_H
#define SKEP_MAP_VALUE_H

#include "map/map.h"
#include <string.h>

static inline bool value_has_fields(const struct map_desc *desc)
{
	return desc->fields.count;
}

/* Bytes of a value that others may be changing. */
void value_copy(void *to, const void *from, size_t size);
/* Values of up to 8 bytes change in one store. */
static inline __attribute__((always_inline)) void value_store_word(u8 *to, const void *value,
								   u32 size)
{
	u64 word = 0;
	u32 half;

	switch (size) {
	case 4:
		memcpy(&half, value, 4);
		__atomic_store_n((u32 *)to, half, __ATOMIC_RELAXED);
		return;
	case 8: memcpy(&word, value, 8); break;
	default: memcpy(&word, value, size);
	}
	__atomic_store_n((u64 *)to, word, __ATOMIC_RELAXED);
}

/* Into the map. `locked`: under the value's spin lock (BPF_F_LOCK). */
void value_store(const struct map_desc *desc, void *value, const void *from, bool locked);
/* Out of the map. */
void value_load(const struct map_desc *desc, void *to, void *value, bool locked);
/* What the value's fields hold is given back; programs may still be looking at it. */
void value_release(const struct map_desc *desc, void *value);
/* A value that an element gets anew: its fields are empty. */
void value_store_new(const struct map_desc *desc, void *value, const void *from);

/* struct bpf_spin_lock */
void value_spin_lock(u32 *lock);
void value_spin_unlock(u32 *lock);

#endif
