# memory that may be NULL has no bytes to read: Linux takes it, and faults
type: sched_cls
map: hash key 4 value 64 entries 1
verdict: reject
linux: accept
---
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1
	r1 = r0
	r2 = 4
	r3 = 0
	r4 = 0
	r5 = 0
	call 28			# csum_diff
	r0 = 0
	exit
