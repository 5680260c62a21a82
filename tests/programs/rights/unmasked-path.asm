# two paths that would need two masks at one instruction
rights: bpf
map: array key 4 value 48 entries 1
verdict: reject
reason: different_operands
message: R0 tried to add from different maps, paths or scalars, pointer arithmetic with it prohibited for !root
---
	*(u32 *)(r10 - 4) = 0
	r7 = *(u32 *)(r1 + 0)
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	if r7 > 20 goto wide
	r7 &= 7
	goto add
wide:	r7 &= 15
add:	r0 += r7
	r0 = *(u8 *)(r0 + 0)
out:	r0 = 0
	exit
