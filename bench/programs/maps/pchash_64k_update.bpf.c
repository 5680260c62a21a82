/* SPDX-License-Identifier: BSD-2-Clause */
#define MT BPF_MAP_TYPE_PERCPU_HASH
#define N  65536
#define OP 3

#include "bench.h"
#include "flow.h"
#define KT	  u32
#define KEY(k, i) k = mix32(i)
#include "mapops.h"
