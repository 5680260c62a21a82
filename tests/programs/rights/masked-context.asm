# only pointers to the stack and to map values can be masked
rights: bpf
verdict: reject
reason: needs_masking
message: R1 has pointer with unsupported alu operation, pointer arithmetic with it prohibited for !root
---
	r2 = 0
	r1 += r2
	r0 = 0
	exit
