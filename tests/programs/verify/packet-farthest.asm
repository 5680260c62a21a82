# an offset of 0xffff that is before the packet's end: all 0x10000 bytes up to it are there
type: xdp
verdict: accept
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 0xffff
	if r4 >= r3 goto out
	r2 += 0xffff
	r0 = *(u8 *)(r2 + 0)
out:	r0 = 2
	exit
