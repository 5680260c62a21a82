/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thing that bpf(2) hands out: map, program, link, BTF, perf event. Counted references; the
 * last object_put() calls release(), which must free after a grace period when readers may
 * still see it. `id` and `fds` belong to the object table in src/sys; 0 while the object is not
 * in it.
 */
#ifndef SKEP_BASE_OBJECT_H
#define SKEP_BASE_OBJECT_H

#include "base/types.h"
#include <stdatomic.h>

struct descriptor;
struct skep_engine;

enum object_kind {
	OBJECT_MAP,
	OBJECT_PROG,
	OBJECT_LINK,
	OBJECT_BTF,
	OBJECT_PERF_EVENT,
	OBJECT_STATS, /* BPF_ENABLE_STATS: counting lasts as long as it */
	OBJECT_KINDS,
};

struct object {
	enum object_kind kind;
	u32 id;
	atomic_int refs;
	void (*release)(struct object *object);

	/* What src/sys sets while the object is in an engine's table; NULL and 0 before. */
	struct skep_engine *engine;
	struct descriptor *descriptors;	      /* file descriptors; guarded by the engine's lock */
	atomic_uint users;		      /* file descriptors and pins */
	void (*leave)(struct object *object); /* called before release() */
	void (*wake)(struct object *object);  /* see object_wake() */
};

void object_init(struct object *object, enum object_kind kind,
		 void (*release)(struct object *object));
struct object *object_get(struct object *object);
/* False when the last reference is already gone (the caller found it through RCU). */
bool object_get_unless_zero(struct object *object);
void object_put(struct object *object); /* NULL is allowed */
/* Makes the object's file descriptors readable: a record was committed, say. Any thread; may be
 * called while a program runs. */
void object_wake(struct object *object);

#endif
