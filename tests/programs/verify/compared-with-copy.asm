# a number compared with its copy: only one way is there
linux: reject
result: 7
---
	call 7
	r1 = r0
	r1 += 1
	r0 += 1
	if r1 == r0 goto done
	r0 = *(u64 *)(r0 + 0)
done:	r0 = 7
	exit
