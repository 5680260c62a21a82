# the address of an array map's value, with an offset into it
covers: LD_MAP_VALUE
map: array key 4 value 16 entries 1
element: 0 0:4 00000000000000002a00000000000000
result: 0x2a
---
	r1 = map_value 0 + 8 ll
	r0 = *(u64 *)(r1 + 0)
	exit
