/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/emit.h"

#include <errno.h>

int emit_grow(struct emit *emit, size_t bytes)
{
	const size_t used = emit->at - emit->start, size = 2 * used + bytes + 8 * EMIT_STEP;
	u8 *grown = realloc(emit->start, size);

	if (!grown)
		return -ENOMEM;
	emit->start = grown;
	emit->at = grown + used;
	emit->end = grown + size;
	return 0;
}
