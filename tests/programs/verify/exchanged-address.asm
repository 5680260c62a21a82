# an exchange whose old value would take the address's place
verdict: reject
reason: misaligned
message: misaligned access off (0x0; 0xffffffffffffffff)+0+-8 size 8
---
	*(u64 *)(r10 - 8) = 0
	r1 = r10
	r1 = xchg_64(r1 - 8, r1)
	r0 = 0
	exit
