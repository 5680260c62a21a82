/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows a port's name or path in its spec: ",KEY=NUMBER" and ",FLAG" words. */
#ifndef SKEP_NET_WORDS_H
#define SKEP_NET_WORDS_H

#include "base/types.h"
#include <skep/error.h>

/* One word; `low` == `high` == 1: a flag, which is written without a value. */
struct port_word {
	const char *name;
	u64 low, high;
	u64 *out;
};

/*
 * Parses the words behind the first comma of `args` and cuts `args` there. A word that is not
 * there leaves its *out as it is. 0 or -EINVAL; `kind` is for the message.
 */
int words_parse(const char *kind, char *args, const struct port_word *words, u32 count,
		struct skep_error *err);

#endif
