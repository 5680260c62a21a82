# a shorter packet
type: sched_cls
data: 000000000000000000000000080045000028000100004006000001020304050607080910
out:  00000000000000000000000008004500
result: 16
---
	r6 = r1
	r2 = 16
	r3 = 0
	call 38			# skb_change_tail
	if r0 != 0 goto out
	r0 = *(u32 *)(r6 + 0)
out:	exit
