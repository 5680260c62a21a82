# a loop that only speculation never leaves is one
rights: bpf
verdict: reject
reason: infinite_loop
message: infinite loop detected at insn
---
	r1 = 0
again:	r1 += 1
	if r1 < 3 goto again
	r0 = 0
	exit
