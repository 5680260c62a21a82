# atomic 64-bit +=; the form with fetch gives the old value
covers: ATOMIC_ADD64 ATOMIC_FETCH_ADD64
type: xdp
data: 5:8 3:8 0:8 0:8 0:8
out:  5:8 3:8 8:8 8:8 5:8
result: 2
data: -1:8 1:8 0:8 0:8 0:8
out:  -1:8 1:8 0:8 0:8 -1:8
result: 2
data: 0x102030405060708:8 0xfffefdfcfbfaf9f8:8 0:8 0:8 0:8
out:  0x102030405060708:8 0xfffefdfcfbfaf9f8:8 0x101010101010100:8 0x101010101010100:8 0x102030405060708:8
result: 2
data: 0x80000000:8 0x80000000:8 0:8 0:8 0:8
out:  0x80000000:8 0x80000000:8 0x100000000:8 0x100000000:8 0x80000000:8
result: 2
data: -1:8 0xffffffff:8 0:8 0:8 0:8
out:  -1:8 0xffffffff:8 0xfffffffe:8 0xfffffffe:8 -1:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 40
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r7 = *(u64 *)(r2 + 8)
	*(u64 *)(r10 - 8) = r6
	*(u64 *)(r10 - 16) = r6
	lock *(u64 *)(r10 - 8) += r7
	r8 = r7
	r8 = atomic_fetch_add((u64 *)(r10 - 16), r8)
	r1 = *(u64 *)(r10 - 8)
	*(u64 *)(r2 + 16) = r1
	r1 = *(u64 *)(r10 - 16)
	*(u64 *)(r2 + 24) = r1
	*(u64 *)(r2 + 32) = r8
	r0 = 2
	exit
short:	r0 = 0
	exit
