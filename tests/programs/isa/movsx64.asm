# 64-bit copy with sign extension from 8, 16, 32 bits
covers: MOVSX64_8 MOVSX64_16 MOVSX64_32
type: xdp
data: 127:8 0:8 0:8 0:8 0:8
out:  127:8 0:8 127:8 127:8 127:8
result: 2
data: 128:8 0:8 0:8 0:8 0:8
out:  128:8 0:8 -128:8 128:8 128:8
result: 2
data: 255:8 0:8 0:8 0:8 0:8
out:  255:8 0:8 -1:8 255:8 255:8
result: 2
data: 0x7fff:8 0:8 0:8 0:8 0:8
out:  0x7fff:8 0:8 -1:8 0x7fff:8 0x7fff:8
result: 2
data: 0x8000:8 0:8 0:8 0:8 0:8
out:  0x8000:8 0:8 0:8 0xffffffffffff8000:8 0x8000:8
result: 2
data: 0xffff8080:8 0:8 0:8 0:8 0:8
out:  0xffff8080:8 0:8 -128:8 0xffffffffffff8080:8 0xffffffffffff8080:8
result: 2
data: 0x7fffffff:8 0:8 0:8 0:8 0:8
out:  0x7fffffff:8 0:8 -1:8 -1:8 0x7fffffff:8
result: 2
data: 0x80000000:8 0:8 0:8 0:8 0:8
out:  0x80000000:8 0:8 0:8 0:8 0xffffffff80000000:8
result: 2
data: -16:8 0:8 0:8 0:8 0:8
out:  -16:8 0:8 -16:8 -16:8 -16:8
result: 2
data: 0x1234567880808080:8 0:8 0:8 0:8 0:8
out:  0x1234567880808080:8 0:8 -128:8 0xffffffffffff8080:8 0xffffffff80808080:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 40
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r7 = (s8)r6
	*(u64 *)(r2 + 16) = r7
	r7 = (s16)r6
	*(u64 *)(r2 + 24) = r7
	r7 = (s32)r6
	*(u64 *)(r2 + 32) = r7
	r0 = 2
	exit
short:	r0 = 0
	exit
