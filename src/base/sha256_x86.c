/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 by the instructions that x86 processors have for it since 2016 (Intel's SHA
 * extensions). */
#include "base/sha256.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

#define HAS_SHA (1u << 29) /* cpuid leaf 7, ebx */

bool sha256_x86_is_there(void)
{
	static _Atomic u32 features; /* 0: not asked yet; bit 0: asked */
	u32 known = features, eax, ebx = 0, ecx, edx;

	if (!known) {
		if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
			ebx = 0;
		features = known = (ebx & HAS_SHA) | 1;
	}
	return known & HAS_SHA && __builtin_cpu_supports("sse4.1");
}

/* The instructions want the state as words a b e f and c d g h, from the highest down. */
struct state {
	__m128i abef, cdgh;
};

#define SHA __attribute__((target("sha,sse4.1,ssse3")))

SHA static inline struct state state_load(const u32 hash[8])
{
	__m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)hash), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&hash[4]), 0x1b);

	return (struct state){_mm_alignr_epi8(cdab, efgh, 8),
			      _mm_blend_epi16(efgh, cdab, 0xf0)};
}

SHA static inline void state_store(struct state state, u32 hash[8])
{
	__m128i feba = _mm_shuffle_epi32(state.abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)hash, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)&hash[4], _mm_alignr_epi8(dchg, feba, 8));
}

/* Rounds i to i + 3. */
SHA static inline void four_rounds(struct state *state, u32 i, __m128i words)
{
	__m128i sum =
		_mm_add_epi32(words, _mm_loadu_si128((const __m128i *)&sha256_constants[i]));

	state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, sum);
	state->abef =
		_mm_sha256rnds2_epu32(state->abef, state->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The four words behind these sixteen. */
SHA static inline __m128i next_words(const __m128i words[4], u32 first)
{
	__m128i a = words[first & 3], b = words[(first + 1) & 3];
	__m128i c = words[(first + 2) & 3], d = words[(first + 3) & 3];
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4));

	return _mm_sha256msg2_epu32(sum, d);
}

SHA static inline void load_block(const u8 *block, __m128i words[4])
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);

	for (u32 i = 0; i < 4; i++)
		words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)),
					    big_endian);
}

SHA void sha256_x86_blocks(u32 hash[8], const u8 *blocks, size_t count)
{
	struct state state = state_load(hash);

	for (; count; count--, blocks += SHA256_BLOCK) {
		struct state before = state;
		__m128i words[4];

		load_block(blocks, words);
#pragma GCC unroll 16
		for (u32 i = 0; i < 16; i++) {
			four_rounds(&state, 4 * i, words[i & 3]);
			if (i < 12)
				words[i & 3] = next_words(words, i);
		}
		state.abef = _mm_add_epi32(state.abef, before.abef);
		state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
	}
	state_store(state, hash);
}

#else

bool sha256_x86_is_there(void)
{
	return false;
}

void sha256_x86_blocks(u32 hash[8], const u8 *blocks, size_t count)
{
	sha256_blocks(hash, blocks, count);
}

#endif
