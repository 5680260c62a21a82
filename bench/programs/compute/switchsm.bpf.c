/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* a lexer written as switch in switch over 1000 bytes */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 st = 0, acc = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 1000; i++) {
		u8 c = p[i];
		switch (st & 15) {
		case 0:
			if (c < 32)
				st = 1;
			else if (c < 64)
				st = 2;
			else
				st = 3;
			break;
		case 1:
			acc += c;
			st = c & 1 ? 4 : 5;
			break;
		case 2:
			acc ^= c << 3;
			st = c & 2 ? 6 : 7;
			break;
		case 3:
			acc -= c;
			st = c & 4 ? 8 : 9;
			break;
		case 4:
			acc = acc * 3 + 1;
			st = c > 128 ? 10 : 0;
			break;
		case 5:
			acc ^= acc >> 3;
			st = c > 100 ? 11 : 0;
			break;
		case 6:
			acc += c << 8;
			st = 12;
			break;
		case 7:
			acc += 7;
			st = c & 8 ? 13 : 3;
			break;
		case 8:
			acc ^= 0x55;
			st = c & 16 ? 14 : 0;
			break;
		case 9:
			acc += acc << 5;
			st = 15;
			break;
		case 10:
			acc -= 99;
			st = 2;
			break;
		case 11:
			acc |= c;
			st = 1;
			break;
		case 12:
			acc ^= c << 16;
			st = c < 77 ? 0 : 5;
			break;
		case 13:
			acc += i;
			st = c & 3;
			break;
		case 14:
			acc *= 5;
			st = 3;
			break;
		case 15:
			acc ^= i << 4;
			st = c & 7;
			break;
		}
	}
	return acc + st;
}
LICENSE;
