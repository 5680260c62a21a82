/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consistent hashing by Maglev's tables (Eisenbud and others, NSDI 2016), with weights. The
 * same members give the same table, in whatever order they come. A member that cannot be used
 * gives its places to the others and takes nothing else along: the least that can change.
 */
#ifndef BALANCER_MAGLEV_H
#define BALANCER_MAGLEV_H

#include "base/types.h"

struct maglev_member {
	const u8 *name; /* what it is known by at every balancer */
	u32 name_size;
	u32 weight; /* 0: no places */
	bool is_usable;
	u32 value; /* what its places hold */
};

/* Fills `places`; all become `none` when nobody is usable. `size` is a prime. 0 or -ENOMEM. */
int maglev_fill(const struct maglev_member *members, u32 count, u32 none, u32 size,
		u32 *places);

#endif
