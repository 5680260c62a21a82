# what replacing 4 bytes does to a checksum
type: sched_cls
result: 0xea9
---
	*(u32 *)(r10 - 4) = 0x12345678
	*(u32 *)(r10 - 8) = 0x44332211
	r1 = r10
	r1 += -4
	r2 = 4
	r3 = r10
	r3 += -8
	r4 = 4
	r5 = 0x1111
	call 28			# csum_diff
	exit
