/* SPDX-License-Identifier: BSD-2-Clause */
/* The linker turns every malloc() of this program into one of these (--wrap). */
#include "verifier.h"

#include <malloc.h>
#include <stdlib.h>

static s64 in_use, most;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static void *taken(void *memory)
{
	in_use += (s64)malloc_usable_size(memory);
	most = max(most, in_use);
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return taken(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return taken(__real_calloc(count, size));
}

/* While a block grows, both copies may be there. */
void *__wrap_realloc(void *old, size_t size)
{
	s64 before = (s64)malloc_usable_size(old);
	void *memory = taken(__real_realloc(old, size));

	if (memory || !size)
		in_use -= before;
	return memory;
}

void __wrap_free(void *memory)
{
	in_use -= (s64)malloc_usable_size(memory);
	__real_free(memory);
}

void heap_start(void)
{
	in_use = most = 0;
}

u64 heap_peak(void)
{
	return (u64)most;
}
