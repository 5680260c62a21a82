# a constant key that lies in two stack slots is known by both of them
type: xdp
map: array key 4 value 64 entries 1
flags: state-freq
verdict: reject
---
	call 7
	r7 = r0
	*(u16 *)(r10 - 10) = 0
	*(u32 *)(r10 - 16) = r7
	r6 = 0
	if r7 > 100 goto other
	goto merge
other:	r6 = r7
	goto merge
merge:	*(u64 *)(r10 - 8) = r6
	goto next
next:	*(u16 *)(r10 - 10) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -10
	call 1
	r0 = *(u8 *)(r0 + 0)
	r0 = 0
	exit
