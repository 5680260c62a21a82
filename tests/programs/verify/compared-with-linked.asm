# a number compared with one that it is 512 more than: what is known of either is known of both
result: 7
---
	call 7
	r2 = 0
	if r0 > 0x3b51f81f goto done
	r2 = r0
	r5 = r0
	r5 += -512
	if w2 <= w5 goto done
	if r2 s< 512 goto wrong
done:	r0 = 7
	exit
wrong:	r0 = *(u64 *)(r0 + 0)
	exit
