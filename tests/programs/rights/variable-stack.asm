# offsets into the stack are constants without CAP_PERFMON
rights: bpf
verdict: reject
reason: stack_variable_unprivileged
message: R2 variable stack access prohibited for !root, var_off=(0x0; 0x7) off=-16
---
	r0 = *(u32 *)(r1 + 0)
	r0 &= 7
	r2 = r10
	r2 += -16
	r2 += r0
	r0 = 0
	exit
