# comparing two pointers into a packet shows how far apart they are
type: xdp
rights: bpf net-admin
verdict: reject
reason: pointer_comparison
message: R2 pointer comparison prohibited
---
	r2 = *(u32 *)(r1 + 0)
	r3 = r2
	if r2 >= r3 goto done
done:	r0 = 0
	exit
