# of the two flags for alignment, the one that forgoes it counts
flags: strict-alignment any-alignment
map: array key 4 value 48 entries 1
---
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r0 = *(u64 *)(r0 + 3)
out:	r0 = 0
	exit
