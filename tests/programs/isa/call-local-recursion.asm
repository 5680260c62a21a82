# a program cannot call itself for ever
covers: CALL_LOCAL
verdict: reject
---
	call again
	exit
again:	call again
	exit
