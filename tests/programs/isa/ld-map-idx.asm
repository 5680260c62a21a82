# a map by its place in fd_array
covers: LD_MAP_IDX
map: array key 4 value 8 entries 1
map: array key 4 value 8 entries 1
element: 1 0:4 7:8
result: 7
---
	w1 = 0
	*(u32 *)(r10 - 4) = r1
	r1 = map_idx 1 ll
	r2 = r10
	r2 += -4
	call 1			# map_lookup_elem
	if r0 == 0 goto none
	r0 = *(u64 *)(r0 + 0)
none:	exit
