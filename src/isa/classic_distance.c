/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux refuses a program with a jump that does not fit into 16 bits after its own conversion
 * to eBPF. skep's conversion is shorter and would reach, but a program that one target takes
 * and the other refuses helps nobody. The lengths are what Linux 6.18 was seen to count.
 */
#include "isa/classic.h"

#include <errno.h>

/* A load from the packet by the fast path where there is one, and the call behind it. */
static u32 packet_load_length(const struct sock_filter *insn)
{
	u32 call = 8;

	if (BPF_MODE(insn->code) == BPF_IND)
		return call + (insn->k != 0);
	if ((s32)insn->k < 0)
		return call;
	return call + 4 + (insn->k != 0) + (BPF_SIZE(insn->code) != BPF_B) +
	       2 * (insn->k > INT16_MAX);
}

static u32 branch_length(const struct sock_filter *insn)
{
	bool is_negative = BPF_SRC(insn->code) == BPF_K && (s32)insn->k < 0;
	bool is_turned = insn->jt == 0 && BPF_OP(insn->code) != BPF_JSET;

	return 1 + is_negative + (insn->jf != 0 && !is_turned);
}

static u32 linux_length(const struct sock_filter *insn)
{
	const struct ancillary *ancillary = ancillary_find(insn);

	if (ancillary)
		return ancillary->linux_length;
	if (classic_is_branch(insn))
		return branch_length(insn);
	switch (insn->code) {
	case BPF_LD | BPF_ABS | BPF_W:
	case BPF_LD | BPF_ABS | BPF_H:
	case BPF_LD | BPF_ABS | BPF_B:
	case BPF_LD | BPF_IND | BPF_W:
	case BPF_LD | BPF_IND | BPF_H:
	case BPF_LD | BPF_IND | BPF_B: return packet_load_length(insn);
	case BPF_LDX | BPF_MSH | BPF_B:
		return 6 + packet_load_length(&(struct sock_filter)BPF_STMT(
				   BPF_LD | BPF_ABS | BPF_B, insn->k));
	case BPF_ALU | BPF_DIV | BPF_X:
	case BPF_ALU | BPF_MOD | BPF_X: return 5;
	case BPF_RET | BPF_K: return 2;
	default: return 1;
	}
}

/* Branches reach 255 instructions at most, which always fits: only goto is asked. */
int classic_check_distances(const struct sock_filter *filter, u32 count, struct skep_error *err)
{
	u32 place[BPF_MAXINSNS + 1];

	place[0] = 0;
	for (u32 at = 0; at < count; at++)
		place[at + 1] = place[at] + linux_length(&filter[at]);
	for (u32 at = 0; at < count; at++) {
		u32 next = at + 1, distance;

		if (filter[at].code != (BPF_JMP | BPF_JA))
			continue;
		distance = place[next + filter[at].k] - place[next];
		if (distance > INT16_MAX)
			return CLASSIC_REJECT(
				"jump over %u instructions of eBPF, Linux allows %u", distance,
				INT16_MAX);
	}
	return 0;
}
