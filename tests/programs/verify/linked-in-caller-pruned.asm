# states that differ in whether the caller's number is its argument are two
map: array key 4 value 8 entries 1
flags: state-freq
verdict: reject
message: unbounded min value is not allowed
---
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1
	r7 = r0
	call 7
	r6 = r0
	call 7
	r8 = r0
	call 7
	r1 = r6
	if r0 == 0 goto join
	r1 = r8
join:	call small
	if r0 == 0 goto out
	r7 += r6
	r0 = *(u8 *)(r7 + 0)
out:	r0 = 0
	exit
small:	r0 = 0
	if r1 > 7 goto no
	r0 = 1
no:	exit
