# metadata is before the packet and comes back with it
type: xdp
data: 0102030405060708090a0b0c0d0e0f1011121314
out:  785634120102030405060708090a0b0c0d0e0f1011121314
result: 4
---
	r6 = r1
	r2 = -4
	call 54			# xdp_adjust_meta
	r2 = *(u32 *)(r6 + 8)
	r3 = *(u32 *)(r6 + 0)
	r4 = r2
	r4 += 4
	if r4 > r3 goto none
	*(u32 *)(r2 + 0) = 0x12345678
	r0 = r3
	r0 -= r2
	exit
none:	r0 = -1
	exit
