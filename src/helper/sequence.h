/* SPDX-License-Identifier: BSD-2-Clause */
/* Struct seq_file (kernel_object.h): where programs of iterators write their text. */
#ifndef SKEP_HELPER_SEQUENCE_H
#define SKEP_HELPER_SEQUENCE_H

#include "base/strbuf.h"
#include "helper/kernel_object.h"

#define SEQUENCE_ROOM 32768 /* bytes that one thing's text may have: Linux's buffer */

struct sequence {
	struct strbuf text; /* owned by the iterator */
	size_t start;	    /* where the text of the thing shown now begins */
	bool is_full;	    /* it has no room for all of it */
};

_Static_assert(sizeof(struct sequence) <= KERNEL_SEQ_BYTES, "there is room behind a seq_file");

static inline struct sequence *sequence_of(void *seq_file)
{
	return (struct sequence *)kernel_hidden(seq_file)->extra;
}

/* 0 or -EOVERFLOW: nothing is written then. */
int sequence_write(struct sequence *seq, const char *bytes, size_t size);

#endif
