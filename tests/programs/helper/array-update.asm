# an array's elements always exist: any flag but BPF_NOEXIST, no index beyond the last
map: array key 4 value 20 entries 4
map: percpu_array key 4 value 7 entries 4
map: array key 4 value 4 entries 3
result: 0x3f
---
	w6 = 0
	w1 = 3
	*(u32 *)(r10 - 4) = r1
	*(u64 *)(r10 - 24) = 40
	*(u64 *)(r10 - 16) = 50
	*(u32 *)(r10 - 8) = 60
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 2			# BPF_EXIST
	call 2			# map_update_elem
	if r0 != 0 goto wrong
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1			# map_lookup_elem
	if r0 == 0 goto wrong
	r6 = *(u64 *)(r0 + 0)
	r1 = *(u64 *)(r0 + 8)
	r6 += r1
	r1 = *(u32 *)(r0 + 16)
	r6 += r1
	if r6 != 150 goto wrong
	w6 = 1
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 1			# BPF_NOEXIST
	call 2			# map_update_elem
	if r0 != -17 goto wrong
	w6 |= 2
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 4			# BPF_F_LOCK without a lock
	call 2			# map_update_elem
	if r0 != -22 goto wrong
	w6 |= 4
	*(u32 *)(r10 - 4) = 4
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 0
	call 2			# map_update_elem
	if r0 != -7 goto wrong
	w6 |= 8
	*(u32 *)(r10 - 4) = 2
	*(u32 *)(r10 - 32) = 9
	*(u16 *)(r10 - 28) = 8
	*(u8 *)(r10 - 26) = 7
	r1 = map_fd 1 ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -32
	r4 = 0
	call 2			# map_update_elem
	if r0 != 0 goto wrong
	r1 = map_fd 1 ll
	r2 = r10
	r2 += -4
	call 1			# map_lookup_elem
	if r0 == 0 goto wrong
	r1 = *(u32 *)(r0 + 0)
	if r1 != 9 goto wrong
	r1 = *(u16 *)(r0 + 4)
	if r1 != 8 goto wrong
	r1 = *(u8 *)(r0 + 6)
	if r1 != 7 goto wrong
	w6 |= 16
	*(u16 *)(r10 - 32) = 1
	*(u16 *)(r10 - 30) = 2
	r1 = map_fd 2 ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -32
	r4 = 0
	call 2			# map_update_elem
	if r0 != 0 goto wrong
	r1 = map_fd 2 ll
	r2 = r10
	r2 += -4
	call 1			# map_lookup_elem
	if r0 == 0 goto wrong
	r1 = *(u32 *)(r0 + 0)
	if r1 != 0x20001 goto wrong
	w6 |= 32
	r0 = r6
	exit
wrong:	r0 = r6
	exit
