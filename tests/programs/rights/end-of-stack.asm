# there is no room below the stack that a mask could leave
rights: bpf
verdict: reject
reason: masked_bounds
message: R2 tried to add beyond pointer bounds, pointer arithmetic with it prohibited for !root
---
	r2 = r10
	r2 += -512
	r3 = 0
	r2 += r3
	r0 = 0
	exit
