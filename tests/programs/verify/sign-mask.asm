# What a shifted sign masks is one of two numbers, not all between them
type: sched_cls
license: GPL
map: array key 4 value 16 entries 1
element: 0 00000000 05000000000000000000000000000000
data: 0000000000000000000000000000
result: 8
---
	r2 = r10
	r2 += -4
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r6 = r0
	r1 = *(u64 *)(r6 + 0)
	r1 <<= 32
	r1 s>>= 63
	r1 &= -134           # 0 or -134
	if r1 == 0 goto zero
	r1 += 134            # 0
	r6 += r1
	r0 = *(u64 *)(r6 + 8)
	exit
zero:
	r2 = *(u32 *)(r6 + 0)
	w2 s>>= 31
	w2 &= 1000           # 0 or 1000
	if w2 > 999 goto out
	r6 += r2
	r0 = *(u64 *)(r6 + 8)
	r0 = 8
	exit
out:
	r0 = 0
	exit
