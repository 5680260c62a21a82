/* SPDX-License-Identifier: BSD-2-Clause */
/* Small user-space maps: the "limit" side of the map benchmarks, and the maps
 * behind the uBPF / AOT runs.  One implementation; with the type and sizes
 * constant (native build) the compiler specialises it, through pointers it is a
 * generic helper.  Single-threaded on purpose: this is a limit, not a design.
 */
#ifndef UMAP_H
#define UMAP_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <linux/bpf.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct umap {
	uint32_t type, ks, vs, max;
	uint32_t stride, voff;
	uint32_t cap, gmask; /* hash: slots, group mask */
	uint32_t count, hand;
	uint8_t *ctrl, *ref;
	uint8_t *data;
	/* lpm: 16-8-8 multibit trie */
	uint32_t *root, *nodes;
	uint32_t nnodes, nvals, capnodes;
};

#define UM_EMPTY 0x80
#define UM_DEL	 0xfe
#define UM_INL	 static inline __attribute__((always_inline))

static inline uint64_t umap_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline void *um_alloc(size_t n)
{
	void *p = mmap(0, n + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	if (n >= (2 << 20))
		madvise(p, n, MADV_HUGEPAGE);
	return p;
}

static inline int um_is_hash(uint32_t t)
{
	return t == BPF_MAP_TYPE_HASH || t == BPF_MAP_TYPE_LRU_HASH ||
	       t == BPF_MAP_TYPE_PERCPU_HASH || t == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static inline void umap_init(struct umap *m, uint32_t type, uint32_t ks, uint32_t vs,
			     uint32_t max)
{
	memset(m, 0, sizeof *m);
	m->type = type;
	m->ks = ks;
	m->vs = vs;
	m->max = max;
	if (um_is_hash(type)) {
		uint32_t need = max + max / 3 + 16, cap = 16;
		while (cap < need)
			cap <<= 1;
		m->cap = cap;
		m->gmask = cap / 16 - 1;
		m->voff = (ks + 7) & ~7u;
		m->stride = m->voff + ((vs + 7) & ~7u);
		m->ctrl = um_alloc(cap);
		memset(m->ctrl, UM_EMPTY, cap);
		m->ref = um_alloc(cap);
		m->data = um_alloc((size_t)cap * m->stride);
	} else if (type == BPF_MAP_TYPE_LPM_TRIE) {
		m->stride = (vs + 7) & ~7u;
		m->root = um_alloc(65536 * 4);
		m->capnodes = 200000;
		m->nodes = um_alloc((size_t)m->capnodes * 256 * 4);
		m->data = um_alloc((size_t)(max + 1) * m->stride);
		m->nnodes = 0;
		m->nvals = 1;
	} else {
		m->stride = (vs + 7) & ~7u;
		m->data = um_alloc((size_t)max * m->stride);
	}
}

UM_INL uint64_t um_hash(const void *k, uint32_t ks)
{
	uint64_t a, b;
	if (ks == 4) {
		uint32_t x;
		memcpy(&x, k, 4);
		a = x * 0x9E3779B97F4A7C15ull;
		return a ^ a >> 32;
	}
	if (ks == 8) {
		memcpy(&a, k, 8);
		__uint128_t r =
			(__uint128_t)(a ^ 0xa0761d6478bd642full) * 0xe7037ed1a0b428dbull;
		return (uint64_t)r ^ (uint64_t)(r >> 64);
	}
	if (ks > 8 && ks <= 16) {
		memcpy(&a, k, 8);
		memcpy(&b, (const char *)k + ks - 8, 8);
		__uint128_t r =
			(__uint128_t)(a ^ 0xa0761d6478bd642full) * (b ^ 0xe7037ed1a0b428dbull);
		return (uint64_t)r ^ (uint64_t)(r >> 64);
	}
	uint64_t h = 0x8ebc6af09c88c6e3ull ^ ks;
	uint32_t i = 0;
	for (; i + 8 <= ks; i += 8) {
		memcpy(&a, (const char *)k + i, 8);
		__uint128_t r = (__uint128_t)(a ^ h) * 0xe7037ed1a0b428dbull;
		h = (uint64_t)r ^ (uint64_t)(r >> 64);
	}
	if (i < ks) {
		a = 0;
		memcpy(&a, (const char *)k + i, ks - i);
		__uint128_t r = (__uint128_t)(a ^ h) * 0xe7037ed1a0b428dbull;
		h = (uint64_t)r ^ (uint64_t)(r >> 64);
	}
	return h;
}

UM_INL uint32_t um_match(const uint8_t *g, uint8_t t)
{
#if defined(__SSE2__)
	return _mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)g), _mm_set1_epi8((char)t)));
#else
	uint32_t r = 0;
	for (int i = 0; i < 16; i++)
		r |= (uint32_t)(g[i] == t) << i;
	return r;
#endif
}

UM_INL int um_find(const struct umap *m, const void *k, uint64_t h, uint32_t ks,
		   uint32_t stride)
{
	uint32_t g = (uint32_t)(h >> 7) & m->gmask;
	uint8_t tag = h & 0x7f;
	for (uint32_t step = 1;; step++) {
		const uint8_t *c = m->ctrl + g * 16;
		uint32_t b = um_match(c, tag);
		while (b) {
			uint32_t i = g * 16 + __builtin_ctz(b);
			if (!memcmp(m->data + (size_t)i * stride, k, ks))
				return i;
			b &= b - 1;
		}
		if (um_match(c, UM_EMPTY))
			return -1;
		if (step > m->gmask)
			return -1;
		g = (g + step) & m->gmask;
	}
}

static inline void *um_lpm_lookup(const struct umap *m, const void *key)
{
	const uint8_t *a = (const uint8_t *)key + 4;
	uint32_t e = m->root[a[0] << 8 | a[1]];
	if (e & 1u << 31) {
		e = m->nodes[(size_t)(e & 0x1ffffff) * 256 + a[2]];
		if (e & 1u << 31)
			e = m->nodes[(size_t)(e & 0x1ffffff) * 256 + a[3]];
	}
	e &= 0x1ffffff;
	return e ? m->data + (size_t)e * m->stride : 0;
}

/* entry: bit31 child, bits 25-30 prefix length, bits 0-24 value index or node */
static inline void um_lpm_fill(struct umap *m, uint32_t *e, uint32_t n, uint32_t len,
			       uint32_t val)
{
	for (uint32_t i = 0; i < n; i++) {
		if (e[i] & 1u << 31)
			um_lpm_fill(m, m->nodes + (size_t)(e[i] & 0x1ffffff) * 256, 256, len,
				    val);
		else if (((e[i] >> 25 & 63) <= len))
			e[i] = len << 25 | val;
	}
}
static inline uint32_t *um_lpm_child(struct umap *m, uint32_t *e)
{
	if (!(*e & 1u << 31)) {
		if (m->nnodes >= m->capnodes)
			return 0;
		uint32_t n = m->nnodes++;
		for (int i = 0; i < 256; i++)
			m->nodes[(size_t)n * 256 + i] = *e;
		*e = 1u << 31 | n;
	}
	return m->nodes + (size_t)(*e & 0x1ffffff) * 256;
}
static inline long um_lpm_update(struct umap *m, const void *key, const void *val)
{
	uint32_t len;
	memcpy(&len, key, 4);
	const uint8_t *a = (const uint8_t *)key + 4;
	if (m->nvals > m->max)
		return -28;
	uint32_t v = m->nvals++;
	memcpy(m->data + (size_t)v * m->stride, val, m->vs);
	uint32_t top = a[0] << 8 | a[1];
	if (len <= 16) {
		uint32_t n = 1u << (16 - len);
		um_lpm_fill(m, m->root + (top & ~(n - 1)), n, len, v);
	} else {
		uint32_t *c = um_lpm_child(m, m->root + top);
		if (!c)
			return -28;
		if (len <= 24) {
			uint32_t n = 1u << (24 - len);
			um_lpm_fill(m, c + (a[2] & ~(n - 1)), n, len, v);
		} else {
			c = um_lpm_child(m, c + a[2]);
			if (!c)
				return -28;
			uint32_t n = 1u << (32 - len);
			um_lpm_fill(m, c + (a[3] & ~(n - 1)), n, len, v);
		}
	}
	return 0;
}

UM_INL void *umap_lookup_c(struct umap *m, const void *k, uint32_t type, uint32_t ks,
			   uint32_t vs)
{
	if (um_is_hash(type)) {
		uint32_t voff = (ks + 7) & ~7u, stride = voff + ((vs + 7) & ~7u);
		int i = um_find(m, k, um_hash(k, ks), ks, stride);
		if (i < 0)
			return 0;
		if (type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH)
			if (!m->ref[i])
				m->ref[i] = 1;
		return m->data + (size_t)i * stride + voff;
	}
	if (type == BPF_MAP_TYPE_LPM_TRIE)
		return um_lpm_lookup(m, k);
	uint32_t i;
	memcpy(&i, k, 4);
	if (i >= m->max)
		return 0;
	return m->data + (size_t)i * ((vs + 7) & ~7u);
}

UM_INL void um_erase(struct umap *m, uint32_t i)
{
	m->ctrl[i] = um_match(m->ctrl + (i & ~15u), UM_EMPTY) ? UM_EMPTY : UM_DEL;
	m->count--;
}

UM_INL long umap_update_c(struct umap *m, const void *k, const void *v, uint64_t fl,
			  uint32_t type, uint32_t ks, uint32_t vs)
{
	if (um_is_hash(type)) {
		uint32_t voff = (ks + 7) & ~7u, stride = voff + ((vs + 7) & ~7u);
		uint64_t h = um_hash(k, ks);
		int i = um_find(m, k, h, ks, stride);
		if (i >= 0) {
			if (fl == BPF_NOEXIST)
				return -17;
			memcpy(m->data + (size_t)i * stride + voff, v, vs);
			return 0;
		}
		if (fl == BPF_EXIST)
			return -2;
		if (m->count >= m->max) {
			if (type != BPF_MAP_TYPE_LRU_HASH &&
			    type != BPF_MAP_TYPE_LRU_PERCPU_HASH)
				return -7;
			for (;;) { /* clock */
				uint32_t x = m->hand;
				m->hand = (x + 1) & (m->cap - 1);
				if (m->ctrl[x] & 0x80)
					continue;
				if (m->ref[x]) {
					m->ref[x] = 0;
					continue;
				}
				um_erase(m, x);
				break;
			}
		}
		uint32_t g = (uint32_t)(h >> 7) & m->gmask;
		for (uint32_t step = 1;; step++) {
			uint32_t b = um_match(m->ctrl + g * 16, UM_EMPTY) |
				     um_match(m->ctrl + g * 16, UM_DEL);
			if (b) {
				i = g * 16 + __builtin_ctz(b);
				break;
			}
			g = (g + step) & m->gmask;
		}
		m->ctrl[i] = h & 0x7f;
		m->ref[i] = 0;
		m->count++;
		memcpy(m->data + (size_t)i * stride, k, ks);
		memcpy(m->data + (size_t)i * stride + voff, v, vs);
		return 0;
	}
	if (type == BPF_MAP_TYPE_LPM_TRIE)
		return um_lpm_update(m, k, v);
	uint32_t i;
	memcpy(&i, k, 4);
	if (i >= m->max)
		return -7;
	memcpy(m->data + (size_t)i * ((vs + 7) & ~7u), v, vs);
	return 0;
}

UM_INL long umap_delete_c(struct umap *m, const void *k, uint32_t type, uint32_t ks,
			  uint32_t vs)
{
	if (!um_is_hash(type))
		return -22;
	uint32_t voff = (ks + 7) & ~7u, stride = voff + ((vs + 7) & ~7u);
	int i = um_find(m, k, um_hash(k, ks), ks, stride);
	if (i < 0)
		return -2;
	um_erase(m, i);
	return 0;
}
#endif
