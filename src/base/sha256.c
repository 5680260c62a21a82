/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sha256.h"

#include <string.h>

/* Fractional parts of the cube roots of the first 64 primes. */
const u32 sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

/* Fractional parts of the square roots of the first 8 primes. */
static const u32 start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static u32 rotate(u32 value, u32 count)
{
	return value >> count | value << (32 - count);
}

static u32 load_big_endian(const u8 *from)
{
	return (u32)from[0] << 24 | (u32)from[1] << 16 | (u32)from[2] << 8 | from[3];
}

static void store_big_endian(u8 *to, u32 value)
{
	for (u32 i = 0; i < 4; i++)
		to[i] = (u8)(value >> (24 - 8 * i));
}

static void expand(const u8 *block, u32 words[64])
{
	for (u32 i = 0; i < 16; i++)
		words[i] = load_big_endian(block + 4 * i);
	for (u32 i = 16; i < 64; i++) {
		u32 a = words[i - 15], b = words[i - 2];
		u32 low = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		u32 high = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;

		words[i] = words[i - 16] + low + words[i - 7] + high;
	}
}

/* The eight variables of round `i` are a rotation of `v`, so that none is moved. */
static inline void one_round(u32 v[8], u32 i, u32 word)
{
	u32 a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
	u32 e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
	u32 sum_e = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
	u32 choice = (e & f) ^ (~e & g);
	u32 first = v[(7 - i) & 7] + sum_e + choice + word;
	u32 sum_a = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
	u32 majority = (a & b) ^ (a & c) ^ (b & c);

	v[(3 - i) & 7] += first;
	v[(7 - i) & 7] = first + sum_a + majority;
}

void sha256_blocks(u32 hash[8], const u8 *blocks, size_t count)
{
	for (; count; count--, blocks += SHA256_BLOCK) {
		u32 words[64], v[8];

		expand(blocks, words);
		memcpy(v, hash, sizeof(v));
		for (u32 i = 0; i < 64; i += 8)
			for (u32 k = 0; k < 8; k++)
				one_round(v, k, words[i + k] + sha256_constants[i + k]);
		for (u32 i = 0; i < 8; i++)
			hash[i] += v[i];
	}
}

static void add_blocks(u32 hash[8], const u8 *blocks, size_t count)
{
	if (sha256_x86_is_there())
		sha256_x86_blocks(hash, blocks, count);
	else
		sha256_blocks(hash, blocks, count);
}

void sha256_init(struct sha256 *sha)
{
	memcpy(sha->hash, start, sizeof(sha->hash));
	sha->size = 0;
}

void sha256_add(struct sha256 *sha, const void *data, size_t size)
{
	const u8 *from = data;

	while (size) {
		size_t used = sha->size % SHA256_BLOCK, part = min(size, SHA256_BLOCK - used);

		if (part == SHA256_BLOCK) {
			part = size - size % SHA256_BLOCK;
			add_blocks(sha->hash, from, part / SHA256_BLOCK);
		} else {
			memcpy(sha->block + used, from, part);
			if (used + part == SHA256_BLOCK)
				add_blocks(sha->hash, sha->block, 1);
		}
		sha->size += part;
		from += part;
		size -= part;
	}
}

/* The end: a one bit, zeros, and the length in bits at the end of a block. */
void sha256_end(struct sha256 *sha, u8 out[SHA256_SIZE])
{
	static const u8 padding[SHA256_BLOCK] = {0x80};
	size_t used = sha->size % SHA256_BLOCK;
	u64 bits = sha->size * 8;
	u8 length[8];

	store_big_endian(length, (u32)(bits >> 32));
	store_big_endian(length + 4, (u32)bits);
	sha256_add(sha, padding, (used < 56 ? 56 : 56 + SHA256_BLOCK) - used);
	sha256_add(sha, length, sizeof(length));
	for (u32 i = 0; i < 8; i++)
		store_big_endian(out + 4 * i, sha->hash[i]);
}
