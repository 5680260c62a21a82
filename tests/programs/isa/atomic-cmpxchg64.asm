# atomic 64-bit compare and exchange: stores only if r0 is what is there; r0 gets the old value
covers: ATOMIC_CMPXCHG64
type: xdp
data: 5:8 3:8 0:8 0:8
out:  5:8 3:8 5:8 5:8
result: 2
data: -1:8 1:8 0:8 0:8
out:  -1:8 1:8 -1:8 -1:8
result: 2
data: 0x102030405060708:8 0xfffefdfcfbfaf9f8:8 0:8 0:8
out:  0x102030405060708:8 0xfffefdfcfbfaf9f8:8 0x102030405060708:8 0x102030405060708:8
result: 2
data: 0x80000000:8 0x80000000:8 0:8 0:8
out:  0x80000000:8 0x80000000:8 5:8 0x80000000:8
result: 2
data: -1:8 0xffffffff:8 0:8 0:8
out:  -1:8 0xffffffff:8 -1:8 -1:8
result: 2
data: 7:8 7:8 0:8 0:8
out:  7:8 7:8 5:8 7:8
result: 2
data: 0x100000007:8 7:8 0:8 0:8
out:  0x100000007:8 7:8 0x100000007:8 0x100000007:8
result: 2
data: 0x2ffffffff:8 0x1ffffffff:8 0:8 0:8
out:  0x2ffffffff:8 0x1ffffffff:8 0x2ffffffff:8 0x2ffffffff:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 32
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r0 = *(u64 *)(r2 + 8)
	*(u64 *)(r10 - 8) = r6
	r7 = 5
	r0 = cmpxchg_64(r10 - 8, r0, r7)
	r1 = *(u64 *)(r10 - 8)
	*(u64 *)(r2 + 16) = r1
	*(u64 *)(r2 + 24) = r0
	r0 = 2
	exit
short:	r0 = 0
	exit
