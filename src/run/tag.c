/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/tag.h"

#include <string.h>

#define SHA1_BLOCK 64
#define SHA1_WORDS 5

struct sha1 {
	u32 state[SHA1_WORDS];
	u8 block[SHA1_BLOCK];
	u64 bytes;
};

static u32 rotate_left(u32 value, u32 bits)
{
	return value << bits | value >> (32 - bits);
}

static u32 read_be32(const u8 *bytes)
{
	return (u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static void write_be32(u8 *bytes, u32 value)
{
	bytes[0] = value >> 24;
	bytes[1] = value >> 16;
	bytes[2] = value >> 8;
	bytes[3] = value;
}

/* The round's function of FIPS 180-4, section 4.1.1, with its constant. */
static u32 sha1_mix(u32 round, u32 b, u32 c, u32 d)
{
	if (round < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (round < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (round < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void sha1_block(struct sha1 *sha)
{
	u32 w[80], v[SHA1_WORDS];

	for (u32 i = 0; i < 16; i++)
		w[i] = read_be32(sha->block + 4 * i);
	for (u32 i = 16; i < 80; i++)
		w[i] = rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(v, sha->state, sizeof(v));
	for (u32 i = 0; i < 80; i++) {
		u32 next = rotate_left(v[0], 5) + sha1_mix(i, v[1], v[2], v[3]) + v[4] + w[i];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate_left(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (u32 i = 0; i < SHA1_WORDS; i++)
		sha->state[i] += v[i];
}

static void sha1_add(struct sha1 *sha, const u8 *data, size_t size)
{
	while (size) {
		const size_t used = sha->bytes % SHA1_BLOCK,
			     part = min(size, SHA1_BLOCK - used);

		memcpy(sha->block + used, data, part);
		sha->bytes += part;
		data += part;
		size -= part;
		if (sha->bytes % SHA1_BLOCK == 0)
			sha1_block(sha);
	}
}

static void sha1_end(struct sha1 *sha)
{
	const u64 bits = sha->bytes * 8;
	u8 length[8];

	sha1_add(sha, (const u8 *)"\x80", 1);
	while (sha->bytes % SHA1_BLOCK != SHA1_BLOCK - sizeof(length))
		sha1_add(sha, (const u8 *)"", 1);
	write_be32(length, bits >> 32);
	write_be32(length + 4, (u32)bits);
	sha1_add(sha, length, sizeof(length));
}

static bool names_map(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

void program_tag(const struct bpf_insn *insns, u32 count, u8 tag[BPF_TAG_SIZE])
{
	struct sha1 sha = {
		.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
	};
	u8 digest[4 * SHA1_WORDS];
	bool second_slot = false;

	for (u32 i = 0; i < count; i++) {
		struct bpf_insn insn = insns[i];

		if (second_slot || names_map(&insn))
			insn.imm = 0;
		second_slot = !second_slot && names_map(&insn);
		sha1_add(&sha, (const u8 *)&insn, sizeof(insn));
	}
	sha1_end(&sha);
	for (u32 i = 0; i < SHA1_WORDS; i++)
		write_be32(digest + 4 * i, sha.state[i]);
	memcpy(tag, digest, BPF_TAG_SIZE);
}
