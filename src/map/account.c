/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/account.h"

#include "base/error.h"
#include "catalog/uapi.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct budget {
	atomic_uint uses;
	u64 limit;
	_Alignas(CACHE_LINE) atomic_ullong used;
};

struct account {
	atomic_uint uses;
	struct budget *budget; /* NULL: no limit */
	atomic_ullong bytes;
	/* Bytes of the last charge, if it was refused, and what was in use; 0: it was not. */
	atomic_ullong refused, refused_at;
};

struct budget *budget_new(u64 limit)
{
	struct budget *budget = aligned_alloc(CACHE_LINE, sizeof(*budget));

	if (!budget)
		return NULL;
	*budget = (struct budget){.uses = 1, .limit = limit};
	return budget;
}

void budget_put(struct budget *budget)
{
	/* Both sides: what others did with it comes before its end. */
	if (budget && atomic_fetch_sub_explicit(&budget->uses, 1, memory_order_acq_rel) == 1)
		free(budget);
}

u64 budget_used(const struct budget *budget)
{
	return atomic_load_explicit(&budget->used, memory_order_relaxed);
}

struct account *account_new(struct budget *budget)
{
	struct account *account = calloc(1, sizeof(*account));

	if (!account)
		return NULL;
	account->uses = 1;
	account->budget = budget;
	if (budget)
		atomic_fetch_add_explicit(&budget->uses, 1, memory_order_relaxed);
	return account;
}

struct account *account_get(struct account *account)
{
	atomic_fetch_add_explicit(&account->uses, 1, memory_order_relaxed);
	return account;
}

void account_put(struct account *account)
{
	/* Both sides: as for budget_put(). */
	if (!account || atomic_fetch_sub_explicit(&account->uses, 1, memory_order_acq_rel) > 1)
		return;
	if (account->budget)
		account_uncharge(account, account_bytes(account));
	budget_put(account->budget);
	free(account);
}

static bool budget_take(struct budget *budget, u64 bytes)
{
	u64 used = atomic_load_explicit(&budget->used, memory_order_relaxed);

	do {
		if (budget->limit && (used > budget->limit || bytes > budget->limit - used))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&budget->used, &used, used + bytes,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

int account_charge(struct account *account, u64 bytes)
{
	bool taken = !account->budget || budget_take(account->budget, bytes);

	atomic_store_explicit(&account->refused, taken ? 0 : bytes, memory_order_relaxed);
	if (!taken) {
		atomic_store_explicit(&account->refused_at, budget_used(account->budget),
				      memory_order_relaxed);
		return -ENOMEM;
	}
	atomic_fetch_add_explicit(&account->bytes, bytes, memory_order_relaxed);
	return 0;
}

void account_uncharge(struct account *account, u64 bytes)
{
	atomic_fetch_sub_explicit(&account->bytes, bytes, memory_order_relaxed);
	if (account->budget)
		atomic_fetch_sub_explicit(&account->budget->used, bytes, memory_order_relaxed);
}

u64 account_bytes(const struct account *account)
{
	return atomic_load_explicit(&account->bytes, memory_order_relaxed);
}

bool account_was_refused(const struct account *account)
{
	return atomic_load_explicit(&account->refused, memory_order_relaxed);
}

int account_refuse(const struct account *account, const char *map, struct skep_error *err)
{
	error_set(
		err, SKEP_STAGE_MAP, -ENOMEM,
		"map '%.*s' needs %llu bytes more: %llu of the engine's limit of %llu bytes are "
		"in use",
		BPF_OBJ_NAME_LEN, map,
		atomic_load_explicit(&account->refused, memory_order_relaxed),
		atomic_load_explicit(&account->refused_at, memory_order_relaxed),
		account->budget->limit);
	error_hint(err, "make the map smaller, or give the engine more memory");
	return -ENOMEM;
}
