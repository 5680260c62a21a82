# the address of a value by the map's place in fd_array
covers: LD_MAP_IDX_VALUE
map: array key 4 value 8 entries 1
map: array key 4 value 8 entries 1
element: 1 0:4 0000000009000000
result: 9
---
	r1 = map_idx_value 1 + 4 ll
	r0 = *(u32 *)(r1 + 0)
	exit
