# an index that was checked may move a pointer into a map's value: speculation masks it
rights: bpf
map: array key 4 value 48 entries 1
element: 0 0:4 0001022a0405060708090a0b0c0d0e0f00000000000000000000000000000000ffffffffffffffffffffffffffffffff
result: 42
---
	*(u32 *)(r10 - 4) = 0
	r7 = *(u32 *)(r1 + 0)
	r2 = r10
	r2 += -4
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r7 >>= 4
	r7 &= 15
	r0 += r7
	r0 = *(u8 *)(r0 + 0)
	exit
out:	r0 = 0
	exit
