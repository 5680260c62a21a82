# le to little-endian: on a little-endian machine only cut to the width
covers: LE16 LE32 LE64
type: xdp
data: 0x102030405060708:8 0:8 0:8 0:8 0:8
out:  0x102030405060708:8 0:8 1800:8 0x5060708:8 0x102030405060708:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 0:8 0:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 0:8 0xf9f8:8 0xfbfaf9f8:8 0xfffefdfcfbfaf9f8:8
result: 2
data: 128:8 0:8 0:8 0:8 0:8
out:  128:8 0:8 128:8 128:8 128:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 40
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r6 = le16 r6
	*(u64 *)(r2 + 16) = r6
	r6 = *(u64 *)(r2 + 0)
	r6 = le32 r6
	*(u64 *)(r2 + 24) = r6
	r6 = *(u64 *)(r2 + 0)
	r6 = le64 r6
	*(u64 *)(r2 + 32) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
