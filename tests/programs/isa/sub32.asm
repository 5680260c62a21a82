# 32-bit subtraction wraps around, and the upper half becomes 0
covers: SUB32_REG SUB32_IMM
type: xdp
data: 5:8 3:8 0:8 0:8
out:  5:8 3:8 2:8 12:8
result: 2
data: -5:8 3:8 0:8 0:8
out:  -5:8 3:8 0xfffffff8:8 2:8
result: 2
data: 5:8 -3:8 0:8 0:8
out:  5:8 -3:8 8:8 12:8
result: 2
data: -5:8 -3:8 0:8 0:8
out:  -5:8 -3:8 0xfffffffe:8 2:8
result: 2
data: 0:8 7:8 0:8 0:8
out:  0:8 7:8 0xfffffff9:8 7:8
result: 2
data: 7:8 0:8 0:8 0:8
out:  7:8 0:8 7:8 14:8
result: 2
data: 0x7fffffffffffffff:8 1:8 0:8 0:8
out:  0x7fffffffffffffff:8 1:8 0xfffffffe:8 6:8
result: 2
data: 0x8000000000000000:8 -1:8 0:8 0:8
out:  0x8000000000000000:8 -1:8 1:8 7:8
result: 2
data: 0x123456789abcdef0:8 0xfedcba9876543210:8 0:8 0:8
out:  0x123456789abcdef0:8 0xfedcba9876543210:8 0x2468ace0:8 0x9abcdef7:8
result: 2
data: 0xffffffff:8 0x100000001:8 0:8 0:8
out:  0xffffffff:8 0x100000001:8 0xfffffffe:8 6:8
result: 2
data: 0x80000000:8 0xffffffff:8 0:8 0:8
out:  0x80000000:8 0xffffffff:8 0x80000001:8 0x80000007:8
result: 2
data: 0x180000000:8 0x7fffffff:8 0:8 0:8
out:  0x180000000:8 0x7fffffff:8 1:8 0x80000007:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 32
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r7 = *(u64 *)(r2 + 8)
	r8 = r6
	w6 -= w7
	*(u64 *)(r2 + 16) = r6
	w8 -= -7
	*(u64 *)(r2 + 24) = r8
	r0 = 2
	exit
short:	r0 = 0
	exit
