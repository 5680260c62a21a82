# an atomic operation needs to know which stack slot it works on
type: xdp
verdict: reject
reason: stack_variable_atomic
message: variable offset stack pointer cannot be passed into helper function; var_off=(0x0; 0x8) off=-16 size=8
---
	call 7
	r0 &= 8
	r1 = r10
	r1 += -16
	r1 += r0
	r2 = 1
	*(u64 *)(r10 - 8) = r2
	*(u64 *)(r10 - 16) = r2
	lock *(u64 *)(r1 + 0) += r2
	r0 = 0
	exit
