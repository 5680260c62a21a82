# 32-bit left shift; the count is taken modulo the width, and the upper half becomes 0
covers: LSH32_REG LSH32_IMM
type: xdp
data: 5:8 3:8 0:8 0:8
out:  5:8 3:8 40:8 0xa000:8
result: 2
data: -5:8 3:8 0:8 0:8
out:  -5:8 3:8 0xffffffd8:8 0xffff6000:8
result: 2
data: 5:8 -3:8 0:8 0:8
out:  5:8 -3:8 0xa0000000:8 0xa000:8
result: 2
data: -5:8 -3:8 0:8 0:8
out:  -5:8 -3:8 0x60000000:8 0xffff6000:8
result: 2
data: 0:8 7:8 0:8 0:8
out:  0:8 7:8 0:8 0:8
result: 2
data: 7:8 0:8 0:8 0:8
out:  7:8 0:8 7:8 0xe000:8
result: 2
data: 0x7fffffffffffffff:8 1:8 0:8 0:8
out:  0x7fffffffffffffff:8 1:8 0xfffffffe:8 0xffffe000:8
result: 2
data: 0x8000000000000000:8 -1:8 0:8 0:8
out:  0x8000000000000000:8 -1:8 0:8 0:8
result: 2
data: 0x123456789abcdef0:8 0xfedcba9876543210:8 0:8 0:8
out:  0x123456789abcdef0:8 0xfedcba9876543210:8 0xdef00000:8 0x9bde0000:8
result: 2
data: 0xffffffff:8 0x100000001:8 0:8 0:8
out:  0xffffffff:8 0x100000001:8 0xfffffffe:8 0xffffe000:8
result: 2
data: 0x80000000:8 0xffffffff:8 0:8 0:8
out:  0x80000000:8 0xffffffff:8 0:8 0:8
result: 2
data: 0x180000000:8 0x7fffffff:8 0:8 0:8
out:  0x180000000:8 0x7fffffff:8 0:8 0:8
result: 2
data: 0x89abcdef01234567:8 31:8 0:8 0:8
out:  0x89abcdef01234567:8 31:8 0x80000000:8 0x68ace000:8
result: 2
data: 0x89abcdef01234567:8 32:8 0:8 0:8
out:  0x89abcdef01234567:8 32:8 0x1234567:8 0x68ace000:8
result: 2
data: 0x89abcdef01234567:8 33:8 0:8 0:8
out:  0x89abcdef01234567:8 33:8 0x2468ace:8 0x68ace000:8
result: 2
data: 0x89abcdef01234567:8 63:8 0:8 0:8
out:  0x89abcdef01234567:8 63:8 0x80000000:8 0x68ace000:8
result: 2
data: 0x89abcdef01234567:8 64:8 0:8 0:8
out:  0x89abcdef01234567:8 64:8 0x1234567:8 0x68ace000:8
result: 2
data: 0x89abcdef01234567:8 65:8 0:8 0:8
out:  0x89abcdef01234567:8 65:8 0x2468ace:8 0x68ace000:8
result: 2
data: 0x89abcdef01234567:8 -1:8 0:8 0:8
out:  0x89abcdef01234567:8 -1:8 0x80000000:8 0x68ace000:8
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
	w6 <<= w7
	*(u64 *)(r2 + 16) = r6
	w8 <<= 13
	*(u64 *)(r2 + 24) = r8
	r0 = 2
	exit
short:	r0 = 0
	exit
