# stores of an immediate change only their bytes; 64 bits are sign-extended
covers: ST_B ST_H ST_W ST_DW
type: xdp
data: 0x102030405060708:8 -1:8 0:8 0:8 0:8 0:8
out:  0x102030405060708:8 -1:8 0x1020304050607f9:8 0x10203040506fff9:8 0x1020304fffffff9:8 -7:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 -1:8 0:8 0:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 -1:8 0xfffefdfcfbfaf9f9:8 0xfffefdfcfbfafff9:8 0xfffefdfcfffffff9:8 -7:8
result: 2
data: 0x8080808080808080:8 -1:8 0:8 0:8 0:8 0:8
out:  0x8080808080808080:8 -1:8 0x80808080808080f9:8 0x808080808080fff9:8 0x80808080fffffff9:8 -7:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 48
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	*(u64 *)(r2 + 16) = r6
	*(u8 *)(r2 + 16) = -7
	*(u64 *)(r2 + 24) = r6
	*(u16 *)(r2 + 24) = -7
	*(u64 *)(r2 + 32) = r6
	*(u32 *)(r2 + 32) = -7
	*(u64 *)(r2 + 40) = r6
	*(u64 *)(r2 + 40) = -7
	r0 = 2
	exit
short:	r0 = 0
	exit
