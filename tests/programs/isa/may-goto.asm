# may_goto may leave a loop; one that ends by itself runs to its end (skep does not bound loops so yet)
covers: MAY_GOTO
type: xdp
verdict: reject
linux: accept
data: 0a000000000000000000000000000000
result: 55
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r0 = 0
	r4 = r2
	r4 += 4
	if r4 > r3 goto end
	r5 = *(u32 *)(r2 + 0)
loop:	if r5 == 0 goto end
	may_goto end
	r0 += r5
	r5 -= 1
	goto loop
end:	exit
