/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What maps take. An account has the bytes of one map: whoever takes memory for the map charges
 * them, by region or chunk and not by element, and takes them off when it gives the memory
 * back. All accounts of an engine draw on its budget, which may have a limit.
 *
 * Any thread may call anything here. Invariant: a budget's use is the sum of its accounts.
 */
#ifndef SKEP_MAP_ACCOUNT_H
#define SKEP_MAP_ACCOUNT_H

#include "base/types.h"
#include <skep/error.h>

struct budget;	/* counted: by the engine and by accounts */
struct account; /* counted: by the map, and by a slab that outlives it */

/* `limit` in bytes, 0: none. NULL: no memory. */
struct budget *budget_new(u64 limit);
void budget_put(struct budget *budget); /* NULL is allowed */
u64 budget_used(const struct budget *budget);

/* `budget` NULL: nothing limits it. NULL: no memory. */
struct account *account_new(struct budget *budget);
struct account *account_get(struct account *account);
/* NULL is allowed. What is still charged goes with the last reference. */
void account_put(struct account *account);

/* 0, or -ENOMEM when the budget's limit does not allow so many more; then nothing changed. */
int account_charge(struct account *account, u64 bytes);
void account_uncharge(struct account *account, u64 bytes);
u64 account_bytes(const struct account *account);

/*
 * Whether the budget refused a charge of this account last, and what it was: " needs N bytes
 * more: N of the N bytes ..." behind the map's name in `err`, with -ENOMEM. Returns that.
 */
bool account_was_refused(const struct account *account);
int account_refuse(const struct account *account, const char *map, struct skep_error *err);

#endif
