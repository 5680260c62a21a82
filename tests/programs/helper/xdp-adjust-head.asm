# the headers move, the packet grows in front; bytes are found again behind the helper
type: xdp
data: 0102030405060708090a0b0c0d0e0f1011121314
out:  aa000000000000000102030405060708090a0b0c0d0e0f1011121314
result: 28
---
	r6 = r1
	r2 = -8
	call 44			# xdp_adjust_head
	if r0 != 0 goto none
	r2 = *(u32 *)(r6 + 0)
	r3 = *(u32 *)(r6 + 4)
	r4 = r2
	r4 += 8
	if r4 > r3 goto none
	*(u64 *)(r2 + 0) = 0xaa
	r0 = r3
	r0 -= r2
	exit
none:	r0 = -1
	exit
