# jumps forward and back, in both widths
covers: JA JA32 EXIT
result: 7
---
	r0 = 1
	goto second
first:	r0 += 4
	goto end
second:
	r0 += 2
	gotol first
end:	exit
