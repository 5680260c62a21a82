# the frame has 512 bytes below r10
covers: LDX_DW STX_DW
type: xdp
data: 0x102030405060708:8 0:8 0:8
out:  0x102030405060708:8 0:8 0x102030405060708:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 0:8 0xfffefdfcfbfaf9f8:8
result: 2
data: 0x8080808080808080:8 0:8 0:8
out:  0x8080808080808080:8 0:8 0x8080808080808080:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 24
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	*(u64 *)(r10 - 512) = r6
	r7 = r10
	r7 += -256
	r6 = *(u64 *)(r7 - 256)
	*(u64 *)(r2 + 16) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
