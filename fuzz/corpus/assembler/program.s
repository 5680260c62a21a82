# a bit of everything
start:	r6 = r1; w0 = 0
	r1 = 0x123456789 ll
	r2 = map_value 3 + 8 ll	// extension
	r1 = *(u32 *)(r6 + 16)
	if r1 s> -5 goto end
	lock *(u64 *)(r10 - 8) += r1
	r0 = cmpxchg_64(r10 - 8, r0, r1)
	call local
	/* over
	   lines */ goto end
local:	r0 = bswap16 r0
end:	exit
