# a part of a constant is the key, not the constant: this one is not in the map
map: array key 4 value 8 entries 2
verdict: reject
message: R0 invalid mem access 'map_value_or_null'
---
	r1 = 2
	r1 <<= 32
	r1 |= 1
	*(u64 *)(r10 - 8) = r1
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	exit
