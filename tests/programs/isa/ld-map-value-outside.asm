# an offset at the end of the value is refused
covers: LD_MAP_VALUE
map: array key 4 value 16 entries 1
verdict: reject
---
	r1 = map_value 0 + 16 ll
	r0 = 0
	exit
