# bits that a number cannot all lack are never all 0
linux: reject
result: 7
---
	call 7
	r1 = r0
	r0 &= 31
	r0 += 1
	if r0 & 255 goto done
	r0 = *(u64 *)(r1 + 0)
done:	r0 = 7
	exit
