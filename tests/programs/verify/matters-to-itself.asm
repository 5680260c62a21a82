# the end of a round makes a number matter in the state that covers it: the next round is walked, too
type: xdp
map: array key 4 value 64 entries 1
verdict: reject
---
	*(u32 *)(r10 - 4) = 0
	r1 = map_fd 0 ll
	r2 = r10
	r2 += -4
	call 1
	if r0 == 0 goto out
	r8 = r0
	r3 = 1
	r7 = 1
loop:	may_goto done
	call 7
	r3 = r7
	if r0 & 2 goto done
	r7 = 0x10000000
	goto loop
done:	r1 = 26
	if r3 > r1 goto bad
	r8 += r3
	r0 = *(u8 *)(r8 + 0)
out:	r0 = 0
	exit
bad:	r0 = *(u8 *)(r8 + 64)
	exit
