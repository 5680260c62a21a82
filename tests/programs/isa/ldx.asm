# loads give the bytes in host order, the rest of the register 0
covers: LDX_B LDX_H LDX_W LDX_DW
type: xdp
data: 0x102030405060708:8 0:8 0:8 0:8 0:8 0:8
out:  0x102030405060708:8 0:8 8:8 1800:8 0x5060708:8 0x102030405060708:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 0:8 0:8 0:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 0:8 248:8 0xf9f8:8 0xfbfaf9f8:8 0xfffefdfcfbfaf9f8:8
result: 2
data: 0x8080808080808080:8 0:8 0:8 0:8 0:8 0:8
out:  0x8080808080808080:8 0:8 128:8 0x8080:8 0x80808080:8 0x8080808080808080:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 48
	if r4 > r3 goto short
	r6 = *(u8 *)(r2 + 0)
	*(u64 *)(r2 + 16) = r6
	r6 = *(u16 *)(r2 + 0)
	*(u64 *)(r2 + 24) = r6
	r6 = *(u32 *)(r2 + 0)
	*(u64 *)(r2 + 32) = r6
	r6 = *(u64 *)(r2 + 0)
	*(u64 *)(r2 + 40) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
