# an offset that may be negative or not has no mask
rights: bpf
map: array key 4 value 48 entries 1
verdict: reject
reason: mixed_signs
message: R7 has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited for !root
---
	*(u32 *)(r10 - 4) = 0
	r7 = *(u32 *)(r1 + 0)
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r7 &= 7
	r7 -= 4
	r0 += 8
	r0 += r7
	r0 = *(u8 *)(r0 + 0)
out:	r0 = 0
	exit
