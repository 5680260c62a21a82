/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that runs: written first, then executable and never writable again. */
#ifndef SKEP_JIT_CODE_MEMORY_H
#define SKEP_JIT_CODE_MEMORY_H

#include "base/types.h"

struct code_memory {
	u8 *base; /* NULL: none */
	size_t size; /* of its pages */
};

/* Holds `bytes` of `code`: 0, -ENOMEM, or -EACCES where the system allows no such memory. */
int code_memory_new(const void *code, size_t bytes, struct code_memory *out);
void code_memory_free(struct code_memory *memory);

#endif
