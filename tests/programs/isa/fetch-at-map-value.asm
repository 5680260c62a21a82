# what stands at an address that is known when the program is compiled is fetched and changed
map: array key 4 value 16 entries 1
element: 0 0:4 f0000000000000002a00000000000000
result: 0x1da
---
	r1 = map_value 0 + 0 ll
	r2 = 0x0f
	r2 = atomic_fetch_or((u64 *)(r1 + 0), r2)
	r3 = 0x3c
	r3 = atomic_fetch_and((u64 *)(r1 + 8), r3)
	r4 = 1
	r4 = atomic_fetch_xor((u64 *)(r1 + 8), r4)
	r0 = *(u64 *)(r1 + 0)	# 0xff
	r0 -= r2		# 0x0f
	r0 += r3		# 0x39
	r0 += r4		# 0x61
	r5 = *(u64 *)(r1 + 8)	# 0x29
	r0 += r5		# 0x8a
	r0 += 0x150
	exit
