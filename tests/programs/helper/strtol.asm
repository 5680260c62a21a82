# text to number; the bytes read are counted
type: xdp
result: 0xfffffc18
---
	r1 = 0x303030312d20 ll	# " -1000" in memory order
	*(u64 *)(r10 - 16) = r1
	*(u64 *)(r10 - 8) = 0
	r1 = r10
	r1 += -16
	r2 = 8
	r3 = 10
	r4 = r10
	r4 += -8
	call 105		# strtol
	if r0 != 6 goto none
	r0 = *(u64 *)(r10 - 8)
	exit
none:	exit
