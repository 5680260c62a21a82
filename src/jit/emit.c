/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/emit.h"

#include <errno.h>

int emit_reserve(struct emit *emit)
{
	size_t used = emit->at - emit->start, size = emit->end - emit->start;
	u8 *grown;

	if (size - used >= EMIT_STEP)
		return 0;
	size = 2 * size + 8 * EMIT_STEP;
	grown = realloc(emit->start, size);
	if (!grown)
		return -ENOMEM;
	emit->start = grown;
	emit->at = grown + used;
	emit->end = grown + size;
	return 0;
}
