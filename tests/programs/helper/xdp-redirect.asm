# XDP_REDIRECT to any interface; flags are refused
type: xdp
result: 0x400
---
	r1 = 7
	r2 = 0
	call 23			# redirect
	r6 = r0
	r1 = 7
	r2 = 1
	call 23
	r6 <<= 8
	r0 |= r6
	exit
