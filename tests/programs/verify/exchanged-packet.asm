# a packet pointer that an exchange brings back has the unknown offset that it went with
type: xdp
flags: state-freq
verdict: reject
---
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	call 7
	r0 &= 0xff
	r8 = r6
	r8 += r0
	*(u64 *)(r10 - 8) = r8
	r3 = 0
	r3 = xchg_64(r10 - 8, r3)
	r2 = r6
	r2 += 8
	if r2 > r7 goto out
	r0 = *(u8 *)(r3 + 0)
out:	r0 = 0
	exit
