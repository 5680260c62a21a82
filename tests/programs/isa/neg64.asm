# 64-bit negation
covers: NEG64
type: xdp
data: 5:8 3:8 0:8
out:  5:8 3:8 -5:8
result: 2
data: -5:8 3:8 0:8
out:  -5:8 3:8 5:8
result: 2
data: 5:8 -3:8 0:8
out:  5:8 -3:8 -5:8
result: 2
data: -5:8 -3:8 0:8
out:  -5:8 -3:8 5:8
result: 2
data: 0:8 7:8 0:8
out:  0:8 7:8 0:8
result: 2
data: 7:8 0:8 0:8
out:  7:8 0:8 -7:8
result: 2
data: 0x7fffffffffffffff:8 1:8 0:8
out:  0x7fffffffffffffff:8 1:8 0x8000000000000001:8
result: 2
data: 0x8000000000000000:8 -1:8 0:8
out:  0x8000000000000000:8 -1:8 0x8000000000000000:8
result: 2
data: 0x123456789abcdef0:8 0xfedcba9876543210:8 0:8
out:  0x123456789abcdef0:8 0xfedcba9876543210:8 0xedcba98765432110:8
result: 2
data: 0xffffffff:8 0x100000001:8 0:8
out:  0xffffffff:8 0x100000001:8 0xffffffff00000001:8
result: 2
data: 0x80000000:8 0xffffffff:8 0:8
out:  0x80000000:8 0xffffffff:8 0xffffffff80000000:8
result: 2
data: 0x180000000:8 0x7fffffff:8 0:8
out:  0x180000000:8 0x7fffffff:8 0xfffffffe80000000:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 24
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r6 = -r6
	*(u64 *)(r2 + 16) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
