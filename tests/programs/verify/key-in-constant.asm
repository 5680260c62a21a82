# a key that is the upper part of a larger constant is one, too: the look-up gives a value
map: array key 4 value 8 entries 2
result: 0
---
	*(u64 *)(r10 - 8) = 1
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	exit
