# the lower part of a larger constant is no constant key
map: array key 4 value 8 entries 2
verdict: reject
message: R0 invalid mem access 'map_value_or_null'
---
	*(u64 *)(r10 - 8) = 1
	r2 = r10
	r2 += -8
	r1 = map_fd 0 ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	exit
