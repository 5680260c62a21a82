# atomic 32-bit exchange; the old value comes with the upper half 0
covers: ATOMIC_XCHG32
type: xdp
data: 5:8 3:8 0:8 0:8
out:  5:8 3:8 3:8 5:8
result: 2
data: -1:8 1:8 0:8 0:8
out:  -1:8 1:8 0xffffffff00000001:8 0xffffffff:8
result: 2
data: 0x102030405060708:8 0xfffefdfcfbfaf9f8:8 0:8 0:8
out:  0x102030405060708:8 0xfffefdfcfbfaf9f8:8 0x1020304fbfaf9f8:8 0x5060708:8
result: 2
data: 0x80000000:8 0x80000000:8 0:8 0:8
out:  0x80000000:8 0x80000000:8 0x80000000:8 0x80000000:8
result: 2
data: -1:8 0xffffffff:8 0:8 0:8
out:  -1:8 0xffffffff:8 -1:8 0xffffffff:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 32
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r7 = *(u64 *)(r2 + 8)
	*(u64 *)(r10 - 8) = r6
	w7 = xchg32_32(r10 - 8, w7)
	r1 = *(u64 *)(r10 - 8)
	*(u64 *)(r2 + 16) = r1
	*(u64 *)(r2 + 24) = r7
	r0 = 2
	exit
short:	r0 = 0
	exit
