# bytes of the packet must be looked for again after a helper that may move them
type: xdp
verdict: reject
message: invalid mem access 'scalar'
---
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	r2 = r6
	r2 += 14
	if r2 > r7 goto none
	r2 = -8
	call 44			# xdp_adjust_head
	r0 = *(u64 *)(r6 + 0)
	exit
none:	r0 = 0
	exit
