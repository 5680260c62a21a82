/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/precision.h"

#include <string.h>

int precision_init(struct walk *walk)
{
	return 0;
}

void precision_need(struct walk *walk, u16 regs)
{
}

void precision_note_stack(struct walk *walk)
{
}

void precision_need_slots(struct walk *walk, u32 frame, s64 off)
{
}

void precision_note_linked(struct walk *walk, u16 regs, u64 slots)
{
}

void precision_set(const struct walk *walk, const struct packed_state *state, u32 insn,
		   struct live_set *out)
{
	memset(out, 0xff, sizeof(*out));
}
