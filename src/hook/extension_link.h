/* SPDX-License-Identifier: BSD-2-Clause */
/* Links of programs that run instead of a function of another (freplace). */
#ifndef SKEP_HOOK_EXTENSION_LINK_H
#define SKEP_HOOK_EXTENSION_LINK_H

#include "hook/hook.h"

/* The function that is replaced. */
struct extension_place {
	struct prog *prog;
	u32 subprog; /* index in its subprograms */
	u32 btf_id;  /* of the function, in the program's BTF */
};

/* While this is held no program becomes extended. Taken before any other lock. */
void extension_lock(void);
void extension_unlock(void);

/*
 * Puts `extension`, which fits, in the place, until the link is gone; called with the lock
 * held. The link takes references to both, and what the extension kept as its target is
 * forgotten. -EBUSY: the function is replaced already.
 */
int extension_link_new(struct prog *extension, const struct extension_place *place,
		       struct link **out);

/* The place that a link of type BPF_LINK_TYPE_TRACING holds, as long as the link is there. */
const struct extension_place *extension_link_place(const struct link *link);

/* The program's target, a reference; NULL: it was attached before. */
struct prog *extension_target(struct prog *extension);

#endif
