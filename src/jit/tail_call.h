/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_JIT_TAIL_CALL_H
#define SKEP_JIT_TAIL_CALL_H

#include "jit/base.h"

struct map;

struct tail_call {
	const struct map *map; /* of every run; NULL: that is not known, it is in r2 */
	bool has_index;
	u32 index; /* likewise, of a map that is known; else it is in r3 */
	/* Makes the code that leaves the frame, but for the return. */
	void (*leave)(void *cookie);
	void *cookie;
};

/* Of both tiers: r1 is in the first register of C's arguments, r2 and r3 in the next ones. */
void tail_call(struct base *base, const struct tail_call *call);

#endif
