# bytes of an skb, and zeros when they are not there
type: sched_cls
data: 0102030405060708090a0b0c0d0e0f1011121314
out:  0102030411121314090a0b0c0d0e0f1011121314
result: 0
---
	r6 = r1
	r2 = 16
	r3 = r10
	r3 += -4
	r4 = 4
	call 26			# skb_load_bytes
	r1 = r6
	r2 = 4
	r3 = r10
	r3 += -4
	r4 = 4
	r5 = 0
	call 9			# skb_store_bytes
	r1 = r6
	r2 = 17
	r3 = r10
	r3 += -4
	r4 = 4
	call 26
	r0 = *(u32 *)(r10 - 4)
	exit
