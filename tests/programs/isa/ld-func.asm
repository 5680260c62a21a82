# the address of a function needs type information of that function
covers: LD_FUNC
verdict: reject
message: missing btf func_info
---
	r1 = func callback ll
	r0 = 0
	exit
callback:
	r0 = 0
	exit
