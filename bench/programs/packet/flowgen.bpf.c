/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include "flow.h"
/* the flow generator alone (subtract it from the programs that use it) */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 64);
	u32 s = flow_next(0xffff);
	ST32(p + 26, s);
	return XDP_DROP;
}
LICENSE;
