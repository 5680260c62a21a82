# a number compared with itself: only one way is there
result: 7
linux: reject
---
	r1 = *(u32 *)(r1 + 0)
	if r1 != r1 goto never
	if r1 > r1 goto never
	if w1 s< w1 goto never
	if r1 >= r1 goto on
never:	r9 = *(u64 *)(r1 + 0)
on:	if w1 s<= w1 goto done
	goto never
done:	r0 = 7
	exit
