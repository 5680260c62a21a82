/* SPDX-License-Identifier: BSD-2-Clause */
/* Thinks about an order of an odd number for longer than it may. */
#include "orders.h"

static long step(unsigned int round, unsigned int *state)
{
	*state = *state * 1664525 + 1013904223;
	return 0;
}

SEC("fmod_ret/order_check")
int BPF_PROG(think, struct order *order)
{
	unsigned int state = order->id;

	if (!(order->id & 1))
		return 0;
	bpf_loop(1 << 23, step, &state, 0);
	return state == 0 ? -1 : 0;
}

char LICENSE[] SEC("license") = "BSD-2-Clause";
