# a cast between address spaces needs an arena
covers: ADDR_SPACE_CAST
verdict: reject
message: addr_space_cast insn can only be used in a program that has an associated arena
---
	r2 = 0
	r1 = addr_space_cast(r2, 0, 1)
	r0 = 0
	exit
