# bytes that are put together are what wider loads of the same place give, whatever is shifted out
map: array key 4 value 16 entries 1
result: 0
---
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1			# map_lookup_elem
	if r0 == 0 goto out
	r6 = r0
	r6 += 16
	r1 = 0x8877665544332211 ll
	*(u64 *)(r6 - 16) = r1
	r1 = 0x00ffeeddccbbaa99 ll
	*(u64 *)(r6 - 8) = r1
	r0 = 1
	# four bytes, pair by pair
	r1 = *(u8 *)(r6 - 16)
	r2 = *(u8 *)(r6 - 15)
	r2 <<= 8
	r1 |= r2
	r3 = *(u8 *)(r6 - 14)
	r3 <<= 16
	r4 = *(u8 *)(r6 - 13)
	r4 <<= 24
	r3 |= r4
	r1 |= r3
	if r1 != 0x44332211 goto out
	# one after the other, the upper half in 64 bits
	r0 = 2
	r2 = *(u16 *)(r6 - 12)
	r2 <<= 32
	r1 |= r2
	r2 = *(u16 *)(r6 - 10)
	r2 <<= 48
	r1 |= r2
	r2 = 0x8877665544332211 ll
	if r1 != r2 goto out
	# a shift of 32 bits loses what goes beyond them
	r0 = 3
	r1 = *(u16 *)(r6 - 16)
	w1 <<= 8
	r2 = *(u16 *)(r6 - 14)
	w2 <<= 24
	r1 |= r2
	if r1 != 0x33221100 goto out
	# what is written in between counts
	r0 = 4
	r1 = *(u8 *)(r6 - 8)
	*(u8 *)(r6 - 7) = 5
	r2 = *(u8 *)(r6 - 7)
	r2 <<= 8
	r1 |= r2
	if r1 != 0x0599 goto out
	r0 = 0
out:
	exit
