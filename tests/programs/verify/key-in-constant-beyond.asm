# of a constant that is wider than the key, Linux looks at all, skep at the key's bytes
map: array key 4 value 8 entries 2
verdict: accept
linux: reject
---
	*(u64 *)(r10 - 8) = 7
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	exit
