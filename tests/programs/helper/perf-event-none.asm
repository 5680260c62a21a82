# an array without perf events
type: xdp
map: perf_event_array key 4 value 4 entries 2
result: -2
---
	*(u64 *)(r10 - 8) = 1
	r2 = map_fd 0 ll
	r3 = 0xffffffff ll	# BPF_F_CURRENT_CPU
	r4 = r10
	r4 += -8
	r5 = 8
	call 25			# perf_event_output
	exit
