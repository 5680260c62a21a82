/* SPDX-License-Identifier: BSD-2-Clause */
/* One source, four targets: BPF byte code (clang -target bpf), native code
 * (gcc/clang, the physical limit) and native code on the maps of skep (SKEPMAP) or, as C++, on
 * absl::flat_hash_map (abslmap.h). A
 * benchmark is one file with SEC("xdp") int prog(struct xdp_md *ctx)       measured SEC("xdp")
 * int setup(struct xdp_md *ctx)      optional, run N times before The context is the uapi
 * struct xdp_md (32-bit data pointers) everywhere: in user space the packet lies below 4 GiB.
 */
#ifndef BENCH_H
#define BENCH_H

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
#define ENTRY	 SEC("xdp")
#define NOINLINE __attribute__((noinline))
#define INLINE	 static __attribute__((always_inline)) inline
#define BMAP(name, mtype, ktype, vtype, n, fl) \
	struct {                               \
		__uint(type, mtype);           \
		__uint(max_entries, n);        \
		__uint(map_flags, fl);         \
		__type(key, ktype);            \
		__type(value, vtype);          \
	} name SEC(".maps")
#define BMAP_KEYLESS(name, mtype, n)    \
	struct {                        \
		__uint(type, mtype);    \
		__uint(max_entries, n); \
	} name SEC(".maps")
#define RESERVE(m, size)    bpf_ringbuf_reserve(&m, size, 0)
#define SUBMIT(r, fl)	    bpf_ringbuf_submit(r, fl)
#define LOOKUP(m, k)	    bpf_map_lookup_elem(&m, k)
#define UPDATE(m, k, v, fl) bpf_map_update_elem(&m, k, v, fl)
#define DELETE(m, k)	    bpf_map_delete_elem(&m, k)
#define ADJUST_HEAD(ctx, d) bpf_xdp_adjust_head(ctx, d)
#define LICENSE		    char _license[] SEC("license") = "Dual BSD/GPL"
#else
#include <stdint.h>
#include <string.h>
#include <linux/bpf.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned long long u64;
#if defined(SKEPMAP)
#include "skepmap.h"
#elif !defined(ABSLMAP_H)
#include "umap.h"
#endif
#ifdef __cplusplus
#define ENTRY extern "C" __attribute__((visibility("default")))
#else
#define ENTRY __attribute__((visibility("default")))
#endif
#define SEC(x)
#define NOINLINE __attribute__((noinline))
#define INLINE	 static __attribute__((always_inline)) inline
#if defined(SKEPMAP)
#define BMAP(name, mtype, ktype, vtype, n, fl)                                  \
	static struct skepmap name;                                             \
	static __attribute__((constructor)) void name##_ctor(void)              \
	{                                                                       \
		skepmap_new(&name, mtype, sizeof(ktype), sizeof(vtype), n, fl); \
	}                                                                       \
	static __attribute__((destructor)) void name##_dtor(void)               \
	{                                                                       \
		skepmap_free(&name);                                            \
	}
#define BMAP_KEYLESS(name, mtype, n)                               \
	static struct skepmap name;                                \
	static __attribute__((constructor)) void name##_ctor(void) \
	{                                                          \
		skepmap_new(&name, mtype, 0, 0, n, 0);             \
	}                                                          \
	static __attribute__((destructor)) void name##_dtor(void)  \
	{                                                          \
		skepmap_free(&name);                               \
	}
#define RESERVE(m, size)    skepmap_reserve(&m, size)
#define SUBMIT(r, fl)	    skepmap_submit(r, fl)
#define LOOKUP(m, k)	    m.lookup(m.map, k, 0)
#define UPDATE(m, k, v, fl) m.update(m.map, k, v, fl, 0)
#define DELETE(m, k)	    m.remove(m.map, k, 0)
#elif defined(ABSLMAP_H)
#define BMAP(name, mtype, ktype, vtype, n, fl) static abslmap<ktype, vtype> name(n)
#define LOOKUP(m, k)			       m.lookup(k)
#define UPDATE(m, k, v, fl)		       m.update(k, v)
#define DELETE(m, k)			       m.remove(k)
#else
#define BMAP(name, mtype, ktype, vtype, n, fl)                                           \
	enum { name##_t = mtype, name##_ks = sizeof(ktype), name##_vs = sizeof(vtype) }; \
	static struct umap name;                                                         \
	static __attribute__((constructor)) void name##_ctor(void)                       \
	{                                                                                \
		umap_init(&name, mtype, sizeof(ktype), sizeof(vtype), n);                \
	}
/* No native counterpart. */
#define BMAP_KEYLESS(name, mtype, n)
#define RESERVE(m, size)    ((void *)0)
#define SUBMIT(r, fl)	    ((void)(r))
#define LOOKUP(m, k)	    umap_lookup_c(&m, k, m##_t, m##_ks, m##_vs)
#define UPDATE(m, k, v, fl) umap_update_c(&m, k, v, fl, m##_t, m##_ks, m##_vs)
#define DELETE(m, k)	    umap_delete_c(&m, k, m##_t, m##_ks, m##_vs)
#endif
static inline long ADJUST_HEAD(struct xdp_md *c, int d)
{
	c->data += d;
	return 0;
}
#define LICENSE
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif

/* p..p+n is readable packet, or return 0 */
#define PKT(p, n)                                \
	u8 *p = (u8 *)(long)ctx->data;           \
	if (p + (n) > (u8 *)(long)ctx->data_end) \
	return 0

/* Loads as programs write them: a cast, which clang turns into one load.  With
 * UNALIGNED the types have alignment 1 (packed structures, memcpy from a byte
 * pointer): then the BPF target emits byte loads, shifts and ors - which native
 * compilers, and a good JIT, combine again. */
#ifdef UNALIGNED
#define PACKED __attribute__((packed))
#else
#define PACKED
#endif
#if defined(__bpf__) && !defined(UNALIGNED)
typedef u64 __attribute__((may_alias)) u64u;
typedef u32 __attribute__((may_alias)) u32u;
typedef u16 __attribute__((may_alias)) u16u;
#else
typedef u64 __attribute__((aligned(1), may_alias)) u64u;
typedef u32 __attribute__((aligned(1), may_alias)) u32u;
typedef u16 __attribute__((aligned(1), may_alias)) u16u;
#endif
#define LD64(p)	    (*(const u64u *)(p))
#define LD32(p)	    (*(const u32u *)(p))
#define LD16(p)	    (*(const u16u *)(p))
#define ST64(p, v)  (*(u64u *)(p) = (v))
#define ST32(p, v)  (*(u32u *)(p) = (v))
#define ST16(p, v)  (*(u16u *)(p) = (v))
#define BE16(x)	    __builtin_bswap16(x)
#define BE32(x)	    __builtin_bswap32(x)
#define BE64(x)	    __builtin_bswap64(x)
#define ROL32(x, n) (((u32)(x) << (n)) | ((u32)(x) >> (32 - (n))))
#define ROR32(x, n) ROL32(x, 32 - (n))
#define ROL64(x, n) (((u64)(x) << (n)) | ((u64)(x) >> (64 - (n))))

struct eth {
	u8 dst[6], src[6];
	u16 proto;
} PACKED;
struct ip4 {
	u8 vihl, tos;
	u16 len, id, frag;
	u8 ttl, proto;
	u16 csum;
	u32 src, dst;
} PACKED;
struct l4 {
	u16 sport, dport;
	u32 seq, ack;
	u16 off, win, csum, urg;
} PACKED;
#define ETH_IP 0x0008 /* 0x0800, network order on little endian */

/* flow generator: spreads the one packet given over many flows, in the same
 * few instructions for every target (measured on its own as packet/flowgen) */
INLINE u32 mix32(u32 x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	x ^= x >> 16;
	return x;
}
#endif
