# stores of a register change only their bytes
covers: STX_B STX_H STX_W STX_DW
type: xdp
data: 0x102030405060708:8 -1:8 0:8 0:8 0:8 0:8
out:  0x102030405060708:8 -1:8 -248:8 0xffffffffffff0708:8 0xffffffff05060708:8 0x102030405060708:8
result: 2
data: 0xfffefdfcfbfaf9f8:8 -1:8 0:8 0:8 0:8 0:8
out:  0xfffefdfcfbfaf9f8:8 -1:8 -8:8 -1544:8 0xfffffffffbfaf9f8:8 0xfffefdfcfbfaf9f8:8
result: 2
data: 0x8080808080808080:8 -1:8 0:8 0:8 0:8 0:8
out:  0x8080808080808080:8 -1:8 -128:8 0xffffffffffff8080:8 0xffffffff80808080:8 0x8080808080808080:8
result: 2
---
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 48
	if r4 > r3 goto short
	r6 = *(u64 *)(r2 + 0)
	r7 = *(u64 *)(r2 + 8)
	*(u64 *)(r2 + 16) = r7
	*(u8 *)(r2 + 16) = r6
	*(u64 *)(r2 + 24) = r7
	*(u16 *)(r2 + 24) = r6
	*(u64 *)(r2 + 32) = r7
	*(u32 *)(r2 + 32) = r6
	*(u64 *)(r2 + 40) = r7
	*(u64 *)(r2 + 40) = r6
	r0 = 2
	exit
short:	r0 = 0
	exit
