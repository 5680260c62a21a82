/* SPDX-License-Identifier: BSD-2-Clause */
#define MT   BPF_MAP_TYPE_LPM_TRIE
#define N    65536
#define OP   4
#define FL   BPF_F_NO_PREALLOC
#define FILL 32768
#include "bench.h"
#include "flow.h"
struct kl {
	u32 len, a;
};
#define KT struct kl
#define KEY(k, i)                           \
	do {                                \
		u32 _i = (i);               \
		k.len = 24;                 \
		k.a = mix32(_i) & 0xffffff; \
	} while (0)
#include "mapops.h"
