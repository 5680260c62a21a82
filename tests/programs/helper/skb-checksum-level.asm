# nobody verified the checksum, then somebody did
type: sched_cls
result: -13
---
	r6 = r1
	r2 = 1
	call 135		# csum_level
	r7 = r0
	r1 = r6
	r2 = 0
	call 135
	r7 |= r0
	r1 = r6
	r2 = 3
	call 135
	r7 |= r0
	r1 = r6
	r2 = 0
	call 135
	r0 |= r7
	exit
