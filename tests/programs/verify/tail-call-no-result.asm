# a tail call that fails leaves nothing in r0
map: prog_array key 4 value 4 entries 1
verdict: reject
message: R0 !read_ok
---
	r2 = map_fd 0 ll
	r3 = 0
	call 12
	exit
