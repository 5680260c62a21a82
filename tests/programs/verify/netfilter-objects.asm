# a netfilter program's context leads to trusted structures of the kernel
type: netfilter
attach: netfilter
license: GPL
---
	r2 = *(u64 *)(r1 + 0)
	r3 = *(u8 *)(r2 + 0)
	r2 = *(u64 *)(r2 + 8)
	r4 = *(u64 *)(r1 + 8)
	r4 = *(u64 *)(r4 + 0)
	r0 = 1
	exit
