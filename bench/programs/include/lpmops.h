/* SPDX-License-Identifier: BSD-2-Clause */
/* 32 look-ups a run among N prefixes of the lengths that the tables of the Internet have. Half
 * of the addresses lie in a prefix, half in a random place. V6: IPv6 in 2000::/3, where
 * networks
 * (/29, /32) and what they announce of themselves (/36 to /48) share their first bits. */
#ifdef V6
#define WORDS 4
#else
#define WORDS 1
#endif
struct key {
	u32 len, addr[WORDS];
};
BMAP(lpm, BPF_MAP_TYPE_LPM_TRIE, struct key, u64, N, BPF_F_NO_PREALLOC);
static u32 setup_seq;

/* Of 32 prefixes. */
INLINE u32 prefix_length(u32 dice)
{
#ifdef V6
	return dice < 14   ? 48
	       : dice < 19 ? 32
	       : dice < 22 ? 44
	       : dice < 25 ? 40
	       : dice < 27 ? 36
	       : dice < 29 ? 47
	       : dice < 31 ? 46
			   : 29;
#else
	return dice < 19   ? 24
	       : dice < 22 ? 22
	       : dice < 25 ? 23
	       : dice < 27 ? 21
	       : dice < 29 ? 20
	       : dice < 31 ? 19
			   : 16;
#endif
}

INLINE void make_address(struct key *k, u32 number)
{
#ifdef V6
	/* A sixteenth as many networks as prefixes. */
	k->addr[0] = BE32(0x20000000 | mix32(number / 16) >> 5);
	k->addr[1] = BE32(mix32(number));
	k->addr[2] = k->addr[3] = mix32(number ^ 0x5bd1e995);
#else
	k->addr[0] = BE32(mix32(number));
#endif
	k->len = 32 * WORDS;
}

ENTRY int setup(struct xdp_md *ctx)
{
	u64 value = setup_seq++;
	struct key k;
	if (value >= N)
		return 0;
	make_address(&k, value);
	k.len = prefix_length(mix32(value * 2 + 1) & 31);
	UPDATE(lpm, &k, &value, 0);
	return 0;
}
ENTRY int prog(struct xdp_md *ctx)
{
	u32 r = 0, s = flow_seq;
#pragma clang loop unroll(disable)
	for (int j = 0; j < 32; j++) {
		u32 x = mix32(++s);
		struct key k;
		make_address(&k, x & 1 ? x : ((u64)x * N) >> 32);
		u64 *v = LOOKUP(lpm, &k);
		r += v ? (u32)*v : 1;
	}
	flow_seq = s;
	return r;
}
LICENSE;
