# a packet that does not end at its start: to Linux, nothing is known of its first byte
type: xdp
verdict: reject
reason: packet_range
message: invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	if r2 >= r3 goto out
	r0 = *(u8 *)(r2 + 0)
out:	r0 = 2
	exit
