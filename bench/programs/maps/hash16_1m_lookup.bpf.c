/* SPDX-License-Identifier: BSD-2-Clause */
#define MT BPF_MAP_TYPE_HASH
#define N  1000000
#define OP 1

#include "bench.h"
#include "flow.h"
struct k16 {
	u32 a, b;
	u16 c, d;
	u32 e;
};
#define KT struct k16
#define KEY(k, i)                 \
	do {                      \
		u32 _i = (i);     \
		k.a = mix32(_i);  \
		k.b = 0x0a000001; \
		k.c = _i;         \
		k.d = 80;         \
		k.e = 6;          \
	} while (0)
#include "mapops.h"
