# loads with sign extension
covers: LDSX_B LDSX_H LDSX_W
type: xdp
data: 0x102030405060708:8 0:8 0:8 0:8 0:8
out:  0x102030405060708:8 0:8 8:8 1800:8 0x5060708:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 0:8 0:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 0:8 -8:8 -1544:8 0xfffffffffbfaf9f8:8
result: 2
data: 0x8080808080808080:8 0:8 0:8 0:8 0:8
out:  0x8080808080808080:8 0:8 -128:8 0xffffffffffff8080:8 0xffffffff80808080:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 40
	if r4 > r3 goto short
	r6 = *(s8 *)(r2 + 0)
	*(u64 *)(r2 + 16) = r6
	r6 = *(s16 *)(r2 + 0)
	*(u64 *)(r2 + 24) = r6
	r6 = *(s32 *)(r2 + 0)
	*(u64 *)(r2 + 32) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
