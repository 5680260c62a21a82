# be to big-endian: swaps on a little-endian machine and cuts to the width
covers: BE16 BE32 BE64
type: xdp
data: 0x102030405060708:8 0:8 0:8 0:8 0:8
out:  0x102030405060708:8 0:8 2055:8 0x8070605:8 0x807060504030201:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 0:8 0:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 0:8 0xf8f9:8 0xf8f9fafb:8 0xf8f9fafbfcfdfeff:8
result: 2
data: 128:8 0:8 0:8 0:8 0:8
out:  128:8 0:8 0x8000:8 0x80000000:8 0x8000000000000000:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 40
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r6 = be16 r6
	*(u64 *)(r2 + 16) = r6
	r6 = *(u64 *)(r2 + 0)
	r6 = be32 r6
	*(u64 *)(r2 + 24) = r6
	r6 = *(u64 *)(r2 + 0)
	r6 = be64 r6
	*(u64 *)(r2 + 32) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
