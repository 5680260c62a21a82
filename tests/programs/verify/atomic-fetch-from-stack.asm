# a number that an atomic operation fetches from the stack is followed back to the slot
map: array key 4 value 48 entries 1
flags: state-freq
verdict: reject
linux: accept
---
	*(u32 *)(r10 - 12) = 0
	r2 = r10
	r2 += -12
	r1 = map_fd 0 ll
	call 1
	if r0 == 0 goto out
	r8 = r0
	call 7
	r1 = 0
	*(u64 *)(r10 - 8) = 100
	if r0 > 7 goto join
	*(u64 *)(r10 - 8) = 0
join:	r0 = 0
	r1 = atomic_fetch_add((u64 *)(r10 - 8), r1)
	r8 += r1
	r0 = *(u64 *)(r8 + 0)
out:	r0 = 0
	exit
