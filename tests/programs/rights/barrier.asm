# what is wrong only where speculation goes ends at a barrier there
rights: bpf
result: 7
---
	r0 = 7
	r1 = 1
	if r1 == 1 goto out
	r0 = *(u64 *)(r9 + 0)
out:	exit
