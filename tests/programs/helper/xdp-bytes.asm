# bytes are copied out and in; what is not there is an error
type: xdp
data: 0102030405060708090a0b0c0d0e0f1011121314
out:  0102030411121314090a0b0c0d0e0f1011121314
result: -22
---
	r6 = r1
	r2 = 16
	r3 = r10
	r3 += -4
	r4 = 4
	call 189		# xdp_load_bytes
	if r0 != 0 goto out
	r1 = r6
	r2 = 4
	r3 = r10
	r3 += -4
	r4 = 4
	call 190		# xdp_store_bytes
	if r0 != 0 goto out
	r1 = r6
	r2 = 17
	r3 = r10
	r3 += -4
	r4 = 4
	call 189
out:	exit
