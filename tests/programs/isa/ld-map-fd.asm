# a map by its descriptor is what helpers take
covers: LD_MAP_FD CALL
map: array key 4 value 8 entries 4
element: 0 2:4 0x2a:8
result: 0x2a
---
	w1 = 2
	*(u32 *)(r10 - 4) = r1
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1			# map_lookup_elem
	if r0 == 0 goto none
	r0 = *(u64 *)(r0 + 0)
none:	exit
