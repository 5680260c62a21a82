# a pointer that cannot be NULL may be compared with a register that is 0
rights: bpf
map: array key 4 value 48 entries 1
---
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r1 = 0
	if r0 == r1 goto out
	r0 = 0
	exit
out:	r0 = 0
	exit
