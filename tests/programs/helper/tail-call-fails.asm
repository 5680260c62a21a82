# behind a tail call that failed, nothing happened to the packet
type: xdp
map: prog_array key 4 value 4 entries 2
data: 7:8 2:8
result: 7
---
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	r2 = r6
	r2 += 8
	if r2 > r7 goto none
	r2 = map_fd 0 ll
	r3 = 1
	call 12			# tail_call
	r0 = *(u64 *)(r6 + 0)
	exit
none:	r0 = 0
	exit
