# 32-bit jump on s<, signed; the upper halves do not matter
covers: JSLT32_REG JSLT32_IMM
type: xdp
data: 5:8 5:8 0:8 0:8
out:  5:8 5:8 0:8 0:8
result: 2
data: 5:8 6:8 0:8 0:8
out:  5:8 6:8 1:8 0:8
result: 2
data: 6:8 5:8 0:8 0:8
out:  6:8 5:8 0:8 0:8
result: 2
data: -1:8 -2:8 0:8 0:8
out:  -1:8 -2:8 0:8 0:8
result: 2
data: -2:8 -2:8 0:8 0:8
out:  -2:8 -2:8 0:8 0:8
result: 2
data: -3:8 -2:8 0:8 0:8
out:  -3:8 -2:8 1:8 1:8
result: 2
data: 0:8 -2:8 0:8 0:8
out:  0:8 -2:8 0:8 0:8
result: 2
data: 0x100000005:8 5:8 0:8 0:8
out:  0x100000005:8 5:8 0:8 0:8
result: 2
data: 0x1fffffffe:8 -2:8 0:8 0:8
out:  0x1fffffffe:8 -2:8 0:8 0:8
result: 2
data: 0x80000000:8 0x7fffffff:8 0:8 0:8
out:  0x80000000:8 0x7fffffff:8 1:8 1:8
result: 2
data: 0x8000000000000000:8 1:8 0:8 0:8
out:  0x8000000000000000:8 1:8 1:8 0:8
result: 2
data: 0xfffffffe:8 -2:8 0:8 0:8
out:  0xfffffffe:8 -2:8 0:8 0:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 32
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r7 = *(u64 *)(r2 + 8)
	r8 = 1
	if w6 s< w7 goto register
	r8 = 0
register:
	*(u64 *)(r2 + 16) = r8
	r8 = 1
	if w6 s< -2 goto immediate
	r8 = 0
immediate:
	*(u64 *)(r2 + 24) = r8
	r0 = 2
	exit
short:	r0 = 0
	exit
