/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/value.h"

#include "base/pause.h"
#include "map/own.h"

#include <sched.h>
#include <string.h>

/* A longer rest than this, and the owner of a lock may have lost its CPU. */
#define PAUSES_MAX 32

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
	const struct btf_fields *fields = &desc->fields;
	u32 at = 0;

	for (u32 i = 0; i < fields->count; i++) {
		value_copy(to + at, from + at, fields->field[i].offset - at);
		at = fields->field[i].offset + fields->field[i].size;
	}
	value_copy(to + at, from + at, desc->value_size - at);
}

static void zero_fields(const struct map_desc *desc, u8 *value)
{
	const struct btf_fields *fields = &desc->fields;

	for (u32 i = 0; i < fields->count; i++)
		memset(value + fields->field[i].offset, 0, fields->field[i].size);
}

static void copy_locked(const struct map_desc *desc, void *to, const void *from, void *value)
{
	u32 *lock = (u32 *)((u8 *)value + map_desc_field(desc, BTF_FIELD_SPIN_LOCK));

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

static u32 *lock_of(const struct map_desc *desc, void *value)
{
	s32 offset = map_desc_field(desc, BTF_FIELD_SPIN_LOCK);

	return offset < 0 ? NULL : (u32 *)((u8 *)value + offset);
}

/* Lists and trees are changed under the lock; a value without one has none of them. */
void value_release(const struct map_desc *desc, void *value)
{
	u32 *lock;

	if (likely(!value_has_fields(desc)))
		return;
	lock = lock_of(desc, value);
	if (lock)
		value_spin_lock(lock);
	own_release_fields(&desc->fields, value);
	if (lock)
		value_spin_unlock(lock);
}

/* A program that still looks at the element's last life may have put something there. */
void value_store_new(const struct map_desc *desc, void *value, const void *from)
{
	value_store(desc, value, from, false);
	if (unlikely(value_has_fields(desc))) {
		own_release_fields(&desc->fields, value);
		zero_fields(desc, value);
	}
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

/* Who has the lock works on, and may take it again, while the others rest. */
static void wait_for_lock(const u32 *lock)
{
	u32 pauses = 1;

	do {
		pause_times(pauses);
		if (pauses < PAUSES_MAX)
			pauses *= 2;
		else
			sched_yield();
	} while (__atomic_load_n(lock, __ATOMIC_RELAXED));
}

void value_spin_lock(u32 *lock)
{
	while (unlikely(__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)))
		wait_for_lock(lock);
}

/* Release pairs with the acquire of the next owner's exchange. */
void value_spin_unlock(u32 *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
