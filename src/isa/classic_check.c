/* SPDX-License-Identifier: BSD-2-Clause */
/* Which classic programs Linux attaches. It gives no reasons (EINVAL); the texts are skep's. */
#include "isa/classic.h"

#include <errno.h>
#include <stdlib.h>

#define FIELD(name) offsetof(struct __sk_buff, name)

static const struct ancillary ancillaries[] = {
	{SKF_AD_PROTOCOL, ANCILLARY_FIELD_BE16, FIELD(protocol), 2},
	{SKF_AD_PKTTYPE, ANCILLARY_FIELD, FIELD(pkt_type), 2},
	{SKF_AD_IFINDEX, ANCILLARY_FIELD, FIELD(ifindex), 4},
	{SKF_AD_NLATTR, ANCILLARY_HELPER, CLASSIC_HELPER_NLATTR, 4},
	{SKF_AD_NLATTR_NEST, ANCILLARY_HELPER, CLASSIC_HELPER_NLATTR_NEST, 4},
	{SKF_AD_MARK, ANCILLARY_FIELD, FIELD(mark), 1},
	{SKF_AD_QUEUE, ANCILLARY_FIELD, FIELD(queue_mapping), 1},
	{SKF_AD_HATYPE, ANCILLARY_HELPER, CLASSIC_HELPER_HATYPE, 4},
	{SKF_AD_RXHASH, ANCILLARY_FIELD, FIELD(hash), 1},
	{SKF_AD_CPU, ANCILLARY_HELPER, BPF_FUNC_get_smp_processor_id, 4},
	{SKF_AD_ALU_XOR_X, ANCILLARY_XOR, 0, 1},
	{SKF_AD_VLAN_TAG, ANCILLARY_FIELD, FIELD(vlan_tci), 1},
	{SKF_AD_VLAN_TAG_PRESENT, ANCILLARY_FIELD, FIELD(vlan_present), 3},
	{SKF_AD_PAY_OFFSET, ANCILLARY_HELPER, CLASSIC_HELPER_PAY_OFFSET, 4},
	{SKF_AD_RANDOM, ANCILLARY_HELPER, BPF_FUNC_get_prandom_u32, 4},
	{SKF_AD_VLAN_TPID, ANCILLARY_FIELD_BE16, FIELD(vlan_proto), 2},
};

bool classic_is_absolute_load(const struct sock_filter *insn)
{
	return insn->code == (BPF_LD | BPF_ABS | BPF_W) ||
	       insn->code == (BPF_LD | BPF_ABS | BPF_H) ||
	       insn->code == (BPF_LD | BPF_ABS | BPF_B);
}

bool classic_is_branch(const struct sock_filter *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) != BPF_JA;
}

const struct ancillary *ancillary_find(const struct sock_filter *insn)
{
	if (!classic_is_absolute_load(insn))
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(ancillaries); i++)
		if (insn->k == SKF_AD_OFF + ancillaries[i].load)
			return &ancillaries[i];
	return NULL;
}

/* --- one instruction --- */

#define WITH_OPERANDS(code) [code | BPF_K] = true, [code | BPF_X] = true

static const bool known[256] = {
	WITH_OPERANDS(BPF_ALU | BPF_ADD),
	WITH_OPERANDS(BPF_ALU | BPF_SUB),
	WITH_OPERANDS(BPF_ALU | BPF_MUL),
	WITH_OPERANDS(BPF_ALU | BPF_DIV),
	WITH_OPERANDS(BPF_ALU | BPF_MOD),
	WITH_OPERANDS(BPF_ALU | BPF_AND),
	WITH_OPERANDS(BPF_ALU | BPF_OR),
	WITH_OPERANDS(BPF_ALU | BPF_XOR),
	WITH_OPERANDS(BPF_ALU | BPF_LSH),
	WITH_OPERANDS(BPF_ALU | BPF_RSH),
	[BPF_ALU | BPF_NEG] = true,
	[BPF_LD | BPF_W | BPF_ABS] = true,
	[BPF_LD | BPF_H | BPF_ABS] = true,
	[BPF_LD | BPF_B | BPF_ABS] = true,
	[BPF_LD | BPF_W | BPF_IND] = true,
	[BPF_LD | BPF_H | BPF_IND] = true,
	[BPF_LD | BPF_B | BPF_IND] = true,
	[BPF_LD | BPF_W | BPF_LEN] = true,
	[BPF_LD | BPF_IMM] = true,
	[BPF_LD | BPF_MEM] = true,
	[BPF_LDX | BPF_W | BPF_LEN] = true,
	[BPF_LDX | BPF_B | BPF_MSH] = true,
	[BPF_LDX | BPF_IMM] = true,
	[BPF_LDX | BPF_MEM] = true,
	[BPF_ST] = true,
	[BPF_STX] = true,
	[BPF_MISC | BPF_TAX] = true,
	[BPF_MISC | BPF_TXA] = true,
	[BPF_RET | BPF_K] = true,
	[BPF_RET | BPF_A] = true,
	[BPF_JMP | BPF_JA] = true,
	WITH_OPERANDS(BPF_JMP | BPF_JEQ),
	WITH_OPERANDS(BPF_JMP | BPF_JGT),
	WITH_OPERANDS(BPF_JMP | BPF_JGE),
	WITH_OPERANDS(BPF_JMP | BPF_JSET),
};

static bool uses_scratch(const struct sock_filter *insn)
{
	return insn->code == (BPF_LD | BPF_MEM) || insn->code == (BPF_LDX | BPF_MEM) ||
	       insn->code == BPF_ST || insn->code == BPF_STX;
}

static int check_jump(const struct sock_filter *insn, u32 at, u32 count, struct skep_error *err)
{
	u32 room = count - at - 1; /* instructions that follow */

	if (!classic_is_branch(insn) && insn->k >= room)
		return CLASSIC_REJECT("jump over %u instructions, %u follow", insn->k, room);
	if (classic_is_branch(insn) && (insn->jt >= room || insn->jf >= room))
		return CLASSIC_REJECT("jump over %u or %u instructions, %u follow", insn->jt,
				      insn->jf, room);
	return 0;
}

static int check_insn(const struct sock_filter *insn, u32 at, u32 count, struct skep_error *err)
{
	if (insn->code >= ARRAY_SIZE(known) || !known[insn->code])
		return CLASSIC_REJECT("unknown opcode %02x", insn->code);
	switch (insn->code) {
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K: return insn->k ? 0 : CLASSIC_REJECT("division by 0");
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return insn->k < 32 ? 0 : CLASSIC_REJECT("shift by %u bits", insn->k);
	default: break;
	}
	if (uses_scratch(insn) && insn->k >= BPF_MEMWORDS)
		return CLASSIC_REJECT("scratch word %u, there are %u", insn->k, BPF_MEMWORDS);
	if (classic_is_absolute_load(insn) && insn->k >= (u32)SKF_AD_OFF &&
	    !ancillary_find(insn))
		return CLASSIC_REJECT("unknown ancillary load %u", insn->k - (u32)SKF_AD_OFF);
	return BPF_CLASS(insn->code) == BPF_JMP ? check_jump(insn, at, count, err) : 0;
}

/* --- scratch words --- */

/*
 * Jumps only go forward, so one pass knows at each instruction which words every way to it has
 * written: `reaching[i]` is the meet of the jumps to i, a set of words as bits.
 */
static void flow_scratch(const struct sock_filter *insn, u32 at, u16 *written, u16 *reaching)
{
	if (insn->code == BPF_ST || insn->code == BPF_STX) {
		*written |= 1 << insn->k;
	} else if (classic_is_branch(insn)) {
		reaching[at + 1 + insn->jt] &= *written;
		reaching[at + 1 + insn->jf] &= *written;
		*written = UINT16_MAX;
	} else if (insn->code == (BPF_JMP | BPF_JA)) {
		reaching[at + 1 + insn->k] &= *written;
		*written = UINT16_MAX;
	}
}

static int check_scratch(const struct sock_filter *filter, u32 count, struct skep_error *err)
{
	u16 reaching[BPF_MAXINSNS], written = 0;

	for (u32 at = 0; at < count; at++)
		reaching[at] = UINT16_MAX;
	for (u32 at = 0; at < count; at++) {
		const struct sock_filter *insn = &filter[at];

		written &= reaching[at];
		if ((insn->code == (BPF_LD | BPF_MEM) || insn->code == (BPF_LDX | BPF_MEM)) &&
		    !(written & 1 << insn->k))
			return CLASSIC_REJECT("scratch word %u is read before it is written",
					      insn->k);
		flow_scratch(insn, at, &written, reaching);
	}
	return 0;
}

int classic_check(const struct sock_filter *filter, u32 count, struct skep_error *err)
{
	if (count == 0 || count > BPF_MAXINSNS)
		return error_set(err, SKEP_STAGE_DECODE, -EINVAL,
				 "expected 1 to %u instructions, found %u", BPF_MAXINSNS,
				 count);
	for (u32 at = 0; at < count; at++)
		if (check_insn(&filter[at], at, count, err))
			return -EINVAL;
	if (BPF_CLASS(filter[count - 1].code) != BPF_RET) {
		u32 at = count - 1;

		return CLASSIC_REJECT("the last instruction is not a return");
	}
	if (check_scratch(filter, count, err))
		return -EINVAL;
	return classic_check_distances(filter, count, err);
}
