# packet loads from a fixed place give host order; behind the end the program returns 0
covers: LD_ABS_B LD_ABS_H LD_ABS_W
type: sched_cls
data: 0102030405060708090a0b0c0d0e0f101112131415161718
result: 0x02030407
data: 0102030405060708090a0b0c0d0e0f10
result: 0
---
	r6 = r1
	r0 = *(u8 *)skb[1]
	r7 = r0
	r7 <<= 24
	r0 = *(u16 *)skb[2]
	r0 <<= 8
	r7 += r0
	r0 = *(u32 *)skb[4]
	w0 >>= 24
	r7 += r0
	r0 = *(u8 *)skb[17]
	r0 -= 16
	r7 += r0
	r0 = r7
	exit
