/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes orders of known accounts, up to what each of them may spend. */
#include "orders.h"

SEC("fmod_ret/order_check")
int BPF_PROG(within_limit, struct order *order)
{
	struct account *account = account_get(order->account);
	int verdict;

	if (!account)
		return -1;
	verdict = order->amount > account->limit ? -1 : 0;
	account_put(account);
	return verdict;
}

char LICENSE[] SEC("license") = "BSD-2-Clause";
