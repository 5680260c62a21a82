# a pointer into a packet may be compared with its end, but not for equality
type: xdp
rights: bpf net-admin
verdict: reject
reason: pointer_comparison
message: R2 pointer comparison prohibited
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	if r4 > r3 goto done
	if r2 == r3 goto done
done:	r0 = 0
	exit
