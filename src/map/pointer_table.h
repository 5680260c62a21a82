/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table whose values are pointers to things that are counted or freed after a grace
 * period. An update gives the old pointer back, for the caller to let go. */
#ifndef SKEP_MAP_POINTER_TABLE_H
#define SKEP_MAP_POINTER_TABLE_H

#include "map/table.h"

struct pointer_table {
	struct table table;
	struct pool pool;
	struct region links;
};

int pointer_table_init(struct pointer_table *pointers, struct account *account, u32 key_size,
		       u32 max_entries, u64 seed);
void pointer_table_done(struct pointer_table *pointers);

/* NULL: not there (read-side section). */
void *pointer_table_find(const struct pointer_table *pointers, const void *key);
/* `flags` as in an update. The old pointer, or NULL, goes to `old` on success. */
int pointer_table_set(struct pointer_table *pointers, const void *key, void *pointer, u64 flags,
		      void **old);
int pointer_table_remove(struct pointer_table *pointers, const void *key, void **old);
int pointer_table_next_key(const struct pointer_table *pointers, const void *key, void *next);
/* Each pointer once; only when nobody else uses the table any more. */
void *pointer_table_next(const struct pointer_table *pointers, struct table_place *place);

#endif
