/* SPDX-License-Identifier: BSD-2-Clause */
/* blocklist by longest prefix match; N prefixes of 8..32 bits, most of them /24 */
struct key {
	u32 len;
	u32 addr;
};
BMAP(lpm, BPF_MAP_TYPE_LPM_TRIE, struct key, u32, N, BPF_F_NO_PREALLOC);
static u32 setup_seq;
ENTRY int setup(struct xdp_md *ctx)
{
	u32 i = setup_seq++, h = mix32(i * 2 + 1), g = mix32(h);
	u32 len = (g & 7) < 5	 ? 24
		  : (g & 7) == 5 ? 16 + (g >> 8 & 7)
		  : (g & 7) == 6 ? 25 + (g >> 8 & 7)
				 : 20;
	u32 a = len == 32 ? h : h & ~(0xffffffffu >> len);
	struct key k = {len, BE32(a)};
	UPDATE(lpm, &k, &i, 0);
	return 0;
}
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	if (p + 34 > end)
		return XDP_ABORTED;
	if (LD16(p + 12) != ETH_IP)
		return XDP_PASS;
	u32 f = flow_next(0xfffff);
	/* half of the addresses lie in a prefix inserted, half are random */
	u32 a = f & 1 ? mix32(f) : mix32((f % N) * 2 + 1) ^ (f >> 12 & 7);
	struct key k = {32, BE32(a)};
	return LOOKUP(lpm, &k) ? XDP_DROP : XDP_PASS;
}
LICENSE;
