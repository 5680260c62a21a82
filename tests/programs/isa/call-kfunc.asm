# type id 0 is no kernel function
covers: CALL_KFUNC
verdict: reject
---
	call kfunc 0, 0
	r0 = 0
	exit
