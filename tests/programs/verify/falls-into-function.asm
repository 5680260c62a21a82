# A function that falls through into the next one is refused, with an explanation
verdict: reject
message: last insn is not an exit or jmp
---
	call f
	r0 = 0
f:	r0 = 1
	exit
