# without CAP_PERFMON nothing is walked behind a dynptr that only speculation makes: there is a barrier
rights: bpf
map: array key 4 value 64 entries 1
result: 0
---
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1
	if r0 == 0 goto out
	r1 = r0
	r7 = 14
	if r7 > 3 goto out
	r2 = 16
	r3 = 0
	r4 = r10
	r4 += -24
	call 197
again:	r0 = 1
	if r0 > 0 goto again
out:	r0 = 0
	exit
