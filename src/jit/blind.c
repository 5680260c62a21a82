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
static u64 next_key(struct base *base)
{
	base->random ^= base->random >> 12;
	base->random ^= base->random << 25;
	base->random ^= base->random >> 27;
	return base->random * 0x2545f4914f6cdd1dULL;
}

static void of_32_bits(struct base *base, u8 to, enum x86_width width, u32 value)
{
	const u32 key = (u32)next_key(base);

	x86_rr(&base->emit, x86_store_imm, width, 0, to);
	emit32(&base->emit, value ^ key);
	x86_rr(&base->emit, x86_xor_imm32, width, 0, to);
	emit32(&base->emit, key);
}

void base_load_const(struct base *base, u8 to, u64 value, u8 scratch)
{
	u64 key;

	if (!base_blinds(base, value)) {
		x86_mov_imm(&base->emit, to, value);
	} else if (value == (u32)value) {
		of_32_bits(base, to, W32, (u32)value);
	} else if ((s64)value == (s32)value) {
		of_32_bits(base, to, W64, (u32)value);
	} else {
		key = next_key(base);
		x86_mov_imm(&base->emit, to, value ^ key);
		x86_mov_imm(&base->emit, scratch, key);
		x86_rr(&base->emit, x86_xor_store, W64, scratch, to);
	}
}
