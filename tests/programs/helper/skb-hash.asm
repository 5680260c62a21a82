# a hash that was set stays until it is called invalid
type: sched_cls
result: 77
---
	r6 = r1
	r2 = 77
	call 48			# set_hash
	r1 = r6
	call 34			# get_hash_recalc
	r7 = r0
	r1 = r6
	call 41			# set_hash_invalid
	r0 = *(u32 *)(r6 + 68)	# hash
	r0 += r7
	exit
