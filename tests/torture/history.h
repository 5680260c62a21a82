/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads asked of one key of a map, and whether one thread could have been told the same.
 */
#ifndef SKEP_TESTS_TORTURE_HISTORY_H
#define SKEP_TESTS_TORTURE_HISTORY_H

#include "base/types.h"

enum history_kind {
	HISTORY_LOOKUP,
	HISTORY_UPDATE,
	HISTORY_INSERT,	 /* BPF_NOEXIST */
	HISTORY_REPLACE, /* BPF_EXIST */
	HISTORY_DELETE,
	HISTORY_TAKE, /* look-up and delete */
};

struct history_call {
	u32 key;
	enum history_kind kind;
	int answer; /* 0 or a negative errno; -ENOMEM: nothing was changed */
	u64 value;  /* written or read; not 0 */
	u64 start, end;
};

/* At most 32 calls; `value`: before them, 0: none. */
bool history_is_possible(const struct history_call *calls, u32 count, u64 value);
void history_print(const struct history_call *calls, u32 count, u64 value);
/* Histories of which it is known whether they are possible. */
bool history_check_itself(void);

#endif
