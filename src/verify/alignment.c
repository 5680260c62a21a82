/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the address of an access is a multiple of its size. */
#include "verify/memory.h"
#include "verify/tnum.h"

/* In strict mode packets start as they do where NET_IP_ALIGN is 2. */
#define STRICT_PACKET_ALIGNMENT 2

/* Where its object starts at `base`, the address is a multiple of the size. */
static bool is_aligned(const struct reg_state *reg, const struct requirement *need, s64 base)
{
	struct tnum address =
		tnum_add(reg->number.bits, tnum_const((u64)(base + reg->off + need->off)));

	return !((address.value | address.mask) & (need->size - 1));
}

static int prove_packet_alignment(struct walk *walk, const struct requirement *need)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	char bits[NUMBER_BITS_TEXT];

	if (is_aligned(reg, need, STRICT_PACKET_ALIGNMENT))
		return 0;
	return reject(walk, misaligned_packet, STRICT_PACKET_ALIGNMENT,
		      number_bits_text(&reg->number, bits), reg->off, need->off, need->size);
}

static const char *alignment_subject(const struct reg_state *reg)
{
	switch (reg->kind) {
	case REG_FLOW_KEYS:
	case REG_MAP_VALUE: return "value ";
	case REG_MAP_KEY: return "key ";
	case REG_CTX: return "context ";
	case REG_STACK: return "stack ";
	case REG_SOCKET:
	case REG_SOCK_COMMON: return "sock ";
	case REG_TCP_SOCK: return "tcp_sock ";
	case REG_XDP_SOCK: return "xdp_sock ";
	default: return "";
	}
}

/* Of addresses in an arena nothing is known. */
int memory_prove_alignment(struct walk *walk, const struct requirement *need)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	char bits[NUMBER_BITS_TEXT];

	if (reg->kind == REG_ARENA)
		return 0;
	if (reg->kind == REG_PACKET || reg->kind == REG_PACKET_META)
		return prove_packet_alignment(walk, need);
	if (is_aligned(reg, need, 0))
		return 0;
	return reject(walk, misaligned, alignment_subject(reg),
		      number_bits_text(&reg->number, bits), reg->off, need->off, need->size);
}
