/* SPDX-License-Identifier: BSD-2-Clause */
/* In every test program. What the tests dropped is freed behind a grace period: it is waited for
 * before the sanitizer looks for what was not freed. */
#include "base/rcu.h"

__attribute__((destructor)) static void wait_for_frees(void)
{
	rcu_barrier();
}
