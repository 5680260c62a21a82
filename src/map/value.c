/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/value.h"

#include <sched.h>
#include <string.h>

/* Spins between two tries of a lock whose owner may have lost its CPU. */
#define SPINS 64

/* Sizes of struct bpf_spin_lock, bpf_timer and bpf_wq. */
enum { SPIN_LOCK_SIZE = 4, TIMER_SIZE = 16, WORKQUEUE_SIZE = 16, FIELDS = 3 };

struct field {
	s32 offset;
	u32 size;
};

/* The value's fields by offset; those it does not have come first, with offset -1. */
static void fields_in_order(const struct map_desc *desc, struct field out[FIELDS])
{
	const struct field fields[FIELDS] = {
		{desc->fields.spin_lock, SPIN_LOCK_SIZE},
		{desc->fields.timer, TIMER_SIZE},
		{desc->fields.workqueue, WORKQUEUE_SIZE},
	};
	u32 count = 0;

	for (u32 i = 0; i < FIELDS; i++) {
		u32 at = count++;

		for (; at && out[at - 1].offset > fields[i].offset; at--)
			out[at] = out[at - 1];
		out[at] = fields[i];
	}
}

#ifdef __SANITIZE_THREAD__
/* Programs read and write values in place while user space copies them: what is torn is torn
 * on Linux too, and no report of the sanitizer. */
__attribute__((no_sanitize("thread"))) void value_copy(void *to, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile u8 *)to)[i] = ((const volatile u8 *)from)[i];
}
#else
void value_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
}
#endif

static void copy_around_fields(const struct map_desc *desc, u8 *to, const u8 *from)
{
	struct field fields[FIELDS];
	u32 at = 0;

	fields_in_order(desc, fields);
	for (u32 i = 0; i < FIELDS; i++) {
		if (fields[i].offset < 0)
			continue;
		value_copy(to + at, from + at, fields[i].offset - at);
		at = fields[i].offset + fields[i].size;
	}
	value_copy(to + at, from + at, desc->value_size - at);
}

static void zero_fields(const struct map_desc *desc, u8 *value)
{
	struct field fields[FIELDS];

	fields_in_order(desc, fields);
	for (u32 i = 0; i < FIELDS; i++)
		if (fields[i].offset >= 0)
			memset(value + fields[i].offset, 0, fields[i].size);
}

static void copy_locked(const struct map_desc *desc, void *to, const void *from, void *value)
{
	u32 *lock = (u32 *)((u8 *)value + desc->fields.spin_lock);

	value_spin_lock(lock);
	copy_around_fields(desc, to, from);
	value_spin_unlock(lock);
}

void value_store(const struct map_desc *desc, void *value, const void *from, bool locked)
{
	if (locked)
		copy_locked(desc, value, from, value);
	else if (unlikely(value_has_fields(desc)))
		copy_around_fields(desc, value, from);
	else
		value_copy(value, from, desc->value_size);
}

void value_store_new(const struct map_desc *desc, void *value, const void *from)
{
	value_store(desc, value, from, false);
	if (unlikely(value_has_fields(desc)))
		zero_fields(desc, value);
}

void value_load(const struct map_desc *desc, void *to, void *value, bool locked)
{
	if (locked)
		copy_locked(desc, to, value, value);
	else if (unlikely(value_has_fields(desc)))
		copy_around_fields(desc, to, value);
	else
		value_copy(to, value, desc->value_size);
	if (unlikely(value_has_fields(desc)))
		zero_fields(desc, to);
}

void value_spin_lock(u32 *lock)
{
	for (u32 spins = 1; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); spins++)
		if (spins % SPINS == 0)
			sched_yield();
}

/* Release pairs with the acquire of the next owner's exchange. */
void value_spin_unlock(u32 *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
