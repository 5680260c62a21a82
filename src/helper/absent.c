/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/body.h"
#include "helper/skb.h"

#include <errno.h>
#include <string.h>

/* What the helper would have filled in is no secret of the stack's. */
static void clear(const u64 args[6], u32 memory)
{
	if (memory && args[memory])
		memset(u64_to_ptr(args[memory]), 0, (u32)args[memory + 1]);
}

#define ABSENT(name, result, memory)                         \
	HELPER_BODY(name)                                    \
	{                                                    \
		const u64 args[6] = {0, r1, r2, r3, r4, r5}; \
                                                             \
		clear(args, memory);                         \
		return result;                               \
	}
#include "helper/absent.def"
