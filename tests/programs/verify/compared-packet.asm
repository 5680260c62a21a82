# a packet pointer that a failed comparison brings back keeps its unknown offset
type: sched_cls
verdict: reject
---
	r6 = *(u32 *)(r1 + 76)
	r7 = *(u32 *)(r1 + 80)
	r8 = r6
	r0 = *(u32 *)(r1 + 0)
	r0 &= 0xff
	r8 += r0
	*(u64 *)(r10 - 8) = r8
	r0 = r8
	r3 = 1
	r0 = cmpxchg_64(r10 - 8, r0, r3)
	r2 = r6
	r2 += 8
	if r2 > r7 goto out
	r0 = *(u8 *)(r0 + 0)
out:	r0 = 0
	exit
