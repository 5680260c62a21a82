# an entry that is not there: the lower bits of the flags are the verdict
type: xdp
map: devmap key 4 value 4 entries 2
result: 2
---
	r1 = map_fd 0 ll
	r2 = 1
	r3 = 2
	call 51			# redirect_map
	exit
