# memory that is there, and memory that is not
type: xdp
result: -34
---
	*(u64 *)(r10 - 8) = 0x55
	r1 = r10
	r1 += -16
	r2 = 8
	r3 = r10
	r3 += -8
	call 113		# probe_read_kernel
	if r0 != 0 goto out
	r1 = *(u64 *)(r10 - 16)
	if r1 != 0x55 goto none
	r1 = r10
	r1 += -16
	r2 = 8
	r3 = 0
	call 113
	r1 = *(u64 *)(r10 - 16)
	if r1 == 0 goto out
none:	r0 = 1
out:	exit
