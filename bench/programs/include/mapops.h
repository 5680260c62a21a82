/* SPDX-License-Identifier: BSD-2-Clause */
/* 32 operations a run on a map of N filled to FILL entries, keys from a hash of a
 * sequence number.  OP: 0 none (the loop alone), 1 lookup of present keys,
 * 2 lookup with half of them absent, 3 update of present keys, 4 delete and insert
 * KT: key type, KEY(k, i): makes key number i */
#ifndef VT
#define VT u64
#endif
#ifndef FILL
#define FILL N
#endif
#ifndef FL
#define FL 0
#endif
BMAP(m, MT, KT, VT, N, FL);
static u32 setup_seq;
ENTRY int setup(struct xdp_md *ctx)
{
	u32 i = setup_seq++;
	if (i >= FILL)
		return 0;
	KT k;
	VT v;
	__builtin_memset(&v, 0, sizeof v);
	KEY(k, i);
	*(u32 *)&v = i + 1;
	UPDATE(m, &k, &v, 0);
	return 0;
}
INLINE u32 operate(u32 *seq)
{
	u32 r = 0, s = *seq;
#pragma clang loop unroll(disable)
	for (int j = 0; j < 32; j++) {
		u32 i = (u32)(((u64)mix32(++s) * FILL) >> 32);
		KT k;
#if OP == 2
		KEY(k, i + (s & 1) * FILL);
#else
		KEY(k, i);
#endif
#if OP == 0
		asm volatile("" ::"r"(&k) : "memory");
		r += i;
#elif OP == 1 || OP == 2
		VT *v = LOOKUP(m, &k);
		if (v)
			r += *(u32 *)v;
#elif OP == 3
		VT v;
		__builtin_memset(&v, 0, sizeof v);
		*(u32 *)&v = i + 1;
		UPDATE(m, &k, &v, 0);
#elif OP == 4
		VT v;
		__builtin_memset(&v, 0, sizeof v);
		*(u32 *)&v = i + 1;
		DELETE(m, &k);
		UPDATE(m, &k, &v, 0);
#elif OP == 5
		VT *v = LOOKUP(m, &k);
		if (v)
			__sync_fetch_and_add(v, 1);
#endif
	}
	*seq = s;
	return r;
}
ENTRY int prog(struct xdp_md *ctx)
{
	return operate(&flow_seq);
}
PAIR(operate)
LICENSE;
