# in a function, a number plus the frame pointer points into its own frame; to Linux, into frame 0
result: 5
linux: reject
---
	*(u64 *)(r10 - 16) = r1
	call own
	r0 &= 7
	exit
own:	*(u64 *)(r10 - 16) = 5
	r1 = 0
	r1 += r10
	r0 = *(u64 *)(r1 - 16)
	exit
