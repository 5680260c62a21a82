# a pointer into a map's value may never leave it, not even before it comes back
rights: bpf
map: array key 4 value 48 entries 1
verdict: reject
reason: map_value_range
message: R0 pointer arithmetic of map value goes out of range, prohibited for !root
---
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r0 += 49
	r0 += -49
	r0 = *(u8 *)(r0 + 0)
out:	r0 = 0
	exit
