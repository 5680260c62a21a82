/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/code_memory.h"
#include "base/os.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Lines between programs on neighbouring pages. */
#define STRIDE 7

/*
 * Where the code begins in its pages: processors predict jumps by the low bits of their addresses,
 * so that programs which are the same distance into their pages are in one another's way.
 */
static size_t offset_in(const void *pages, size_t slack)
{
	const u64 number = ptr_to_u64(pages) / os_page_size();

	return number * STRIDE % (slack / CACHE_LINE + 1) * CACHE_LINE;
}

int code_memory_new(const void *code, size_t bytes, struct code_memory *out)
{
	size_t size = round_up(bytes, os_page_size());
	u8 *pages =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *base;
	int err;

	if (pages == MAP_FAILED)
		return -ENOMEM;
	base = pages + offset_in(pages, size - bytes);
	memcpy(base, code, bytes);
	if (mprotect(pages, size, PROT_READ | PROT_EXEC)) {
		err = -errno;
		munmap(pages, size);
		return err;
	}
	__builtin___clear_cache((char *)base, (char *)base + bytes);
	*out = (struct code_memory){base, size};
	return 0;
}

void code_memory_free(struct code_memory *memory)
{
	if (memory->base)
		munmap(memory->base - ptr_to_u64(memory->base) % os_page_size(), memory->size);
	memory->base = NULL;
}
