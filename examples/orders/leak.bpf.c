/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps what it got: refused. */
#include "orders.h"

SEC("fmod_ret/order_check")
int BPF_PROG(forget, struct order *order)
{
	return account_get(order->account) ? 0 : -1;
}

char LICENSE[] SEC("license") = "BSD-2-Clause";
