# time does not go back
type: xdp
result: 1
---
	call 5			# ktime_get_ns
	r6 = r0
	call 125		# ktime_get_boot_ns
	r7 = r0
	call 5
	r8 = r0
	call 125
	r1 = 0
	if r8 < r6 goto out
	if r0 < r7 goto out
	r1 = 1
out:	r0 = r1
	exit
