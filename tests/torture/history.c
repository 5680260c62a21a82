/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/torture/history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SEEN_MAX 8192 /* a power of two */

/* A search for an order: which calls are over, and the value then. */
struct search {
	const struct history_call *calls;
	u32 count;
	struct {
		u32 over;
		u64 value;
	} seen[SEEN_MAX]; /* positions from which there is no way on; 0: free */
};

static u32 place_of(u32 over, u64 value)
{
	return (u32)((over ^ value * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL >> 40) %
	       SEEN_MAX;
}

/* What the call makes of `*value`; false: it would have been answered otherwise. */
static bool apply(const struct history_call *call, u64 *value)
{
	const bool present = *value;
	int want = 0;

	if (call->answer == -ENOMEM)
		return call->kind != HISTORY_LOOKUP;
	switch (call->kind) {
	case HISTORY_LOOKUP:
	case HISTORY_TAKE:
	case HISTORY_DELETE:
	case HISTORY_REPLACE: want = present ? 0 : -ENOENT; break;
	case HISTORY_INSERT: want = present ? -EEXIST : 0; break;
	case HISTORY_UPDATE: break;
	}
	if (call->answer != want)
		return false;
	if (want)
		return true;
	if (call->kind == HISTORY_LOOKUP || call->kind == HISTORY_TAKE)
		if (call->value != *value)
			return false;
	if (call->kind == HISTORY_TAKE || call->kind == HISTORY_DELETE)
		*value = 0;
	else
		*value = call->value;
	return true;
}

/* May the call come next: is no other over before it began? */
static bool may_be_next(const struct search *search, u32 over, u32 next)
{
	for (u32 i = 0; i < search->count; i++)
		if (!(over >> i & 1) && search->calls[i].end < search->calls[next].start)
			return false;
	return true;
}

static bool find_order(struct search *search, u32 over, u64 value)
{
	u32 place = place_of(over, value);

	if (over == (1ULL << search->count) - 1)
		return true;
	if (over && search->seen[place].over == over && search->seen[place].value == value)
		return false;
	for (u32 i = 0; i < search->count; i++) {
		u64 then = value;

		if (!(over >> i & 1) && may_be_next(search, over, i) &&
		    apply(&search->calls[i], &then) && find_order(search, over | 1u << i, then))
			return true;
	}
	search->seen[place].over = over;
	search->seen[place].value = value;
	return false;
}

bool history_is_possible(const struct history_call *calls, u32 count, u64 value)
{
	static struct search search;

	search.calls = calls;
	search.count = count;
	memset(search.seen, 0, sizeof(search.seen));
	return find_order(&search, 0, value);
}

void history_print(const struct history_call *calls, u32 count, u64 value)
{
	static const char *const names[] = {"look-up", "update", "insert",
					    "replace", "delete", "take"};

	printf("# impossible, from %llu:\n", value);
	for (u32 i = 0; i < count; i++)
		printf("#   %llu-%llu: %s: %d, %llu\n", calls[i].start, calls[i].end,
		       names[calls[i].kind], calls[i].answer, calls[i].value);
}

bool history_check_itself(void)
{
	static const struct {
		struct history_call calls[3];
		u32 count;
		u64 value;
		bool want;
	} rows[] = {
		{{{0, HISTORY_LOOKUP, 0, 7, 0, 1}}, 1, 7, true},
		{{{0, HISTORY_LOOKUP, 0, 7, 0, 1}}, 1, 8, false},
		{{{0, HISTORY_LOOKUP, -ENOENT, 0, 0, 1}}, 1, 7, false},
		/* At the same time: the look-up may see either. */
		{{{0, HISTORY_UPDATE, 0, 9, 0, 3}, {0, HISTORY_LOOKUP, 0, 7, 1, 2}},
		 2,
		 7,
		 true},
		{{{0, HISTORY_UPDATE, 0, 9, 0, 3}, {0, HISTORY_LOOKUP, 0, 9, 1, 2}},
		 2,
		 7,
		 true},
		/* One after the other. */
		{{{0, HISTORY_UPDATE, 0, 9, 0, 1}, {0, HISTORY_LOOKUP, 0, 7, 2, 3}},
		 2,
		 7,
		 false},
		/* Only one of two takes it. */
		{{{0, HISTORY_TAKE, 0, 7, 0, 2}, {0, HISTORY_TAKE, 0, 7, 1, 3}}, 2, 7, false},
		{{{0, HISTORY_INSERT, 0, 5, 0, 2}, {0, HISTORY_INSERT, 0, 6, 1, 3}},
		 2,
		 0,
		 false},
		/* Without memory nothing changes. */
		{{{0, HISTORY_UPDATE, -ENOMEM, 9, 0, 1}, {0, HISTORY_LOOKUP, 0, 9, 2, 3}},
		 2,
		 7,
		 false},
		/* The value goes back. */
		{{{0, HISTORY_UPDATE, 0, 9, 0, 9},
		  {0, HISTORY_LOOKUP, 0, 9, 1, 2},
		  {0, HISTORY_LOOKUP, 0, 7, 3, 4}},
		 3,
		 7,
		 false},
	};
	bool good = true;

	for (u32 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (history_is_possible(rows[i].calls, rows[i].count, rows[i].value) !=
		    rows[i].want) {
			printf("# history %u is judged wrongly\n", i);
			good = false;
		}
	return good;
}
