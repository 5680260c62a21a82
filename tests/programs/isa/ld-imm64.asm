# 64-bit immediates keep all their bits
covers: LD_IMM64
result: 0x12345678
---
	r1 = 0x123456789abcdef0 ll
	r1 >>= 32
	r2 = -1 ll
	r2 >>= 63
	r2 -= 1
	r1 += r2
	r0 = r1
	exit
