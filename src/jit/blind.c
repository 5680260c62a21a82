/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants that must not be found in machine code (JIT spraying): each is put together from
 * two that are random. Those of one byte give an attacker no more than a displacement does.
 */
#include "jit/base.h"

#include <sys/random.h>

bool base_blinds(const struct base *base, u64 value)
{
	return base->is_blinded && (s64)value != (s8)value;
}

/* Where the kernel has no random numbers yet, the address of the code's buffer varies. */
void base_blind_init(struct base *base)
{
	if (getrandom(&base->random, sizeof(base->random), GRND_NONBLOCK) !=
	    sizeof(base->random))
		base->random = ptr_to_u64(base->emit.start);
	base->random |= 1;
}

/* xorshift64*, from a random start: what comes next is not known to who sees no code. */
u64 base_blind_key(struct base *base)
{
	base->random ^= base->random >> 12;
	base->random ^= base->random << 25;
	base->random ^= base->random >> 27;
	return base->random * 0x2545f4914f6cdd1dULL;
}
