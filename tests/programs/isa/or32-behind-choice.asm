# An operation of 32 bits clears the upper half of what a comparison of 32 bits chose
covers: OR32_IMM
type: xdp
data: 0x200000000000b:8 1:8 0:8 0:8
out: 0xb:8 1:8 0:8 0:8
result: 2
data: 0x200000000000b:8 0x700000004:8 0:8 0:8
out: 0xf:8 0x700000004:8 0:8 0:8
result: 2
data: 3:8 4:8 0:8 0:8
out: 7:8 4:8 0:8 0:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 16
	if r4 > r3 goto end
	r8 = *(u64 *)(r2 + 0)
	r7 = *(u64 *)(r2 + 8)
	if w7 == 1 goto chosen
	r8 |= r7
chosen:
	if r8 < 9 goto store
	w8 |= 0
store:
	*(u64 *)(r2 + 0) = r8
end:
	r0 = 2
	exit
