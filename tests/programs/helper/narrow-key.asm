# keys and values of stores of every width, over one another, are found by the same bytes
map: hash key 13 value 12 entries 8
map: hash key 16 value 8 entries 8
element: 1 01000000020000000300040005000000 7:8
result: 455
---
	# 13 bytes: a zero word, then parts of it; the last byte alone
	r1 = 0
	*(u64 *)(r10 - 16) = r1
	*(u64 *)(r10 - 8) = r1
	w1 = 0x11223344
	*(u32 *)(r10 - 16) = r1
	w1 = 0x5566
	*(u16 *)(r10 - 10) = r1
	*(u8 *)(r10 - 4) = 0x77
	# 12 bytes: three words, the middle one in halves
	*(u32 *)(r10 - 28) = 100
	*(u16 *)(r10 - 24) = 20
	*(u16 *)(r10 - 22) = 0
	*(u32 *)(r10 - 20) = 300
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -16
	r3 = r10
	r3 += -28
	r4 = 0
	call 2			# map_update_elem
	if r0 != 0 goto wrong
	# the same key in words
	r1 = 0x5566000011223344 ll
	*(u64 *)(r10 - 48) = r1
	r1 = 0x7700000000 ll
	*(u64 *)(r10 - 40) = r1
	*(u8 *)(r10 - 36) = 0x77
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -48
	call 1			# map_lookup_elem
	if r0 == 0 goto wrong
	r6 = *(u32 *)(r0 + 0)
	r1 = *(u32 *)(r0 + 4)
	r6 += r1
	r1 = *(u32 *)(r0 + 8)
	r6 += r1		# 420
	# another byte at the end: not there
	*(u8 *)(r10 - 36) = 0x78
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -48
	call 1			# map_lookup_elem
	if r0 != 0 goto wrong
	# 16 bytes that user space put there
	*(u32 *)(r10 - 4) = 5
	*(u16 *)(r10 - 6) = 4
	*(u16 *)(r10 - 8) = 3
	*(u32 *)(r10 - 12) = 2
	*(u32 *)(r10 - 16) = 1
	r7 = r10
	r7 += -24
	r1 = map_fd 1 ll
	r2 = r7
	r2 += 8
	call 1			# map_lookup_elem
	if r0 == 0 goto wrong
	r1 = *(u64 *)(r0 + 0)
	r6 += r1		# 427
	*(u16 *)(r10 - 6) = 4
	*(u16 *)(r10 - 8) = 3
	r1 = map_fd 1 ll
	r2 = r10
	r2 += -16
	call 3			# map_delete_elem
	if r0 != 0 goto wrong
	r1 = map_fd 1 ll
	r2 = r10
	r2 += -16
	call 1			# map_lookup_elem
	if r0 != 0 goto wrong
	# in the value of another element a key may lie, too
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -48
	*(u8 *)(r10 - 36) = 0x77
	call 1			# map_lookup_elem
	if r0 == 0 goto wrong
	*(u16 *)(r0 + 0) = 28
	*(u16 *)(r0 + 2) = 0
	r1 = *(u32 *)(r0 + 0)
	r6 += r1		# 455
	r0 = r6
	exit
wrong:	r0 = 1
	exit
