# a record that is submitted, one that is discarded and one that is copied in
type: xdp
map: ringbuf key 0 value 0 entries 4096
result: 48
---
	r1 = map_fd 0 ll
	r2 = 8
	r3 = 0
	call 131		# ringbuf_reserve
	if r0 == 0 goto none
	*(u64 *)(r0 + 0) = 1
	r1 = r0
	r2 = 1			# BPF_RB_NO_WAKEUP
	call 132		# ringbuf_submit
	r1 = map_fd 0 ll
	r2 = 8
	r3 = 0
	call 131
	if r0 == 0 goto none
	r1 = r0
	r2 = 1
	call 133		# ringbuf_discard
	*(u64 *)(r10 - 8) = 2
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -8
	r3 = 8
	r4 = 1
	call 130		# ringbuf_output
	r1 = map_fd 0 ll
	r2 = 0			# BPF_RB_AVAIL_DATA
	call 134		# ringbuf_query
	exit
none:	r0 = -1
	exit
