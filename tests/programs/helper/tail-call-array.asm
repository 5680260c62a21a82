# a tail call goes through a map of programs
map: array key 4 value 8 entries 2
verdict: reject
reason: tail_call_map
message: expected prog array map for tail call
---
	r2 = map_fd 0 ll
	r3 = 0
	call 12
	r0 = 0
	exit
