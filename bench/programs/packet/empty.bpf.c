/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* the floor: entry and return */
ENTRY int prog(struct xdp_md *ctx)
{
	return XDP_DROP;
}
LICENSE;
