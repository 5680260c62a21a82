# the address of a function needs type information of that function
covers: LD_FUNC
verdict: reject
---
	r1 = func callback ll
	r0 = 0
	exit
callback:
	r0 = 0
	exit
