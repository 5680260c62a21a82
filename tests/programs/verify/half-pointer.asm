# a pointer in a structure of the kernel is read as a whole
type: netfilter
attach: netfilter
license: GPL
verdict: reject
reason: member_pointer
message: cannot access ptr member
---
	r2 = *(u64 *)(r1 + 0)
	r3 = *(u32 *)(r2 + 10)
	r0 = 1
	exit
