# a spilled number that a branch bounds through its copy is not covered by plain bytes
type: xdp
flags: state-freq
map: array key 4 value 64 entries 1
verdict: reject
---
	call 5
	r6 = r0
	call 5
	r7 = r0
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1
	if r0 == 0 goto out
	r8 = r0
	if r7 > 100 goto other
	*(u64 *)(r10 - 16) = r6
	goto merge
other:	*(u32 *)(r10 - 16) = r7
	*(u32 *)(r10 - 12) = r7
	goto merge
merge:	r0 = 0
	r7 = 0
	if r6 > 10 goto out
	r1 = *(u64 *)(r10 - 16)
	r8 += r1
	r0 = *(u8 *)(r8 + 0)
out:	r0 = 0
	exit
