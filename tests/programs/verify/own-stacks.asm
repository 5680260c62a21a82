# in programs that trace, each larger frame has a stack of its own
type: kprobe
---
	*(u64 *)(r10 - 512) = 0
	call sub
	r0 = 0
	exit
sub:	*(u64 *)(r10 - 64) = 0
	r0 = 0
	exit
