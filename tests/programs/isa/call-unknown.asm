# a helper that Linux does not know
covers: CALL
verdict: reject
message: invalid func unknown#99999
---
	call 99999
	r0 = 0
	exit
