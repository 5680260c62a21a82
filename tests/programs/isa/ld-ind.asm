# packet loads from a place in a register plus a constant
covers: LD_IND_B LD_IND_H LD_IND_W
type: sched_cls
data: 0102030405060708090a0b0c0d0e0f101112131415161718
result: 0x02030413
data: 0102030405060708090a0b0c0d0e0f10
result: 0
---
	r6 = r1
	r8 = 4
	r0 = *(u8 *)skb[r8 - 3]
	r7 = r0
	r7 <<= 24
	r0 = *(u16 *)skb[r8 - 2]
	r0 <<= 8
	r7 += r0
	r0 = *(u32 *)skb[r8]
	w0 >>= 24
	r7 += r0
	r8 = 16
	r0 = *(u8 *)skb[r8 + 2]
	r0 -= 5
	r7 += r0
	r0 = r7
	exit
