# bytes at the end go, new ones are zero
type: xdp
data: 0102030405060708090a0b0c0d0e0f1011121314
out:  0102030405060708090a0b0c0d0e0f100000
result: 18
---
	r6 = r1
	r2 = -4
	call 65			# xdp_adjust_tail
	r1 = r6
	r2 = 2
	call 65
	r1 = r6
	call 188		# xdp_get_buff_len
	exit
