# a local call has a frame of its own; r6 to r9 survive it, r0 comes back
covers: CALL_LOCAL EXIT
result: 0x2b
---
	r6 = 1
	*(u64 *)(r10 - 8) = 2
	r1 = 20
	r2 = 20
	call add
	r1 = *(u64 *)(r10 - 8)
	r0 += r1
	r0 += r6
	exit
add:	r6 = r1
	*(u64 *)(r10 - 8) = r2
	r0 = *(u64 *)(r10 - 8)
	r0 += r6
	exit
