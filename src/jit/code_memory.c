/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/code_memory.h"
#include "base/os.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int code_memory_new(const void *code, size_t bytes, struct code_memory *out)
{
	size_t size = round_up(bytes, os_page_size());
	void *base =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	if (base == MAP_FAILED)
		return -ENOMEM;
	memcpy(base, code, bytes);
	if (mprotect(base, size, PROT_READ | PROT_EXEC)) {
		err = -errno;
		munmap(base, size);
		return err;
	}
	__builtin___clear_cache((char *)base, (char *)base + bytes);
	*out = (struct code_memory){base, size};
	return 0;
}

void code_memory_free(struct code_memory *memory)
{
	if (memory->base)
		munmap(memory->base, memory->size);
	memory->base = NULL;
}
