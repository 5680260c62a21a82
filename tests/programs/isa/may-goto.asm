# may_goto may leave a loop; one that ends by itself runs to its end
covers: MAY_GOTO
result: 55
---
	r0 = 0
	r5 = 10
loop:	if r5 == 0 goto end
	may_goto end
	r0 += r5
	r5 -= 1
	goto loop
end:	exit
