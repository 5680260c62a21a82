# a number that le64 leaves as it is stays linked to its copy
type: xdp
map: array key 4 value 64 entries 1
result: 0
---
	call 5
	r6 = r0
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1
	if r0 == 0 goto out
	r8 = r0
	r7 = r6
	r6 = le64 r6
	if r7 > 10 goto out
	r8 += r6
	r0 = *(u8 *)(r8 + 0)
out:	r0 = 0
	exit
