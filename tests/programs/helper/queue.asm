# first in, first out; and what an empty queue says
type: xdp
map: queue key 0 value 8 entries 2
result: -2
---
	*(u64 *)(r10 - 8) = 5
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -8
	r3 = 0
	call 87			# map_push_elem
	r6 = r0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -16
	call 89			# map_peek_elem
	r6 |= r0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -16
	call 88			# map_pop_elem
	r6 |= r0
	r1 = *(u64 *)(r10 - 16)
	if r1 != 5 goto none
	if r6 != 0 goto none
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -16
	call 88
	exit
none:	r0 = 1
	exit
