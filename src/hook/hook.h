/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks: places where programs run, and links: a loaded program at a hook. A hook belongs to
 * what it sits on (a port); a link is an object of bpf(2) that keeps its program, and loses its
 * hook when the port goes away (as a Linux link survives its device).
 *
 * Threads: hook_prog() is read inside a read-side section; everything else may be called from
 * any thread and is serialised by one lock per hook. Replacing a program never stops a reader.
 */
#ifndef SKEP_HOOK_HOOK_H
#define SKEP_HOOK_HOOK_H

#include "base/object.h"
#include "base/rcu.h"
#include "run/run.h"
#include <pthread.h>

struct link;

struct hook {
	enum bpf_attach_type attach_type;
	u32 ifindex; /* the port it sits on; 0: none */
	u32 btf_id;  /* the function of the host that it is; 0: none */
	struct prog *
		prog; /* what runs; NULL: nothing. RCU-protected; the link owns the reference */
	struct link *link; /* who put it there; NULL */
};

struct link {
	struct object object; /* first: an object of kind OBJECT_LINK */
	enum bpf_link_type type;
	enum bpf_attach_type attach_type;
	u32 ifindex;	   /* stays after the hook is gone: 0 then */
	struct prog *prog; /* reference */
	struct hook *hook; /* NULL once detached */
	struct rcu_head rcu;
};

void hook_init(struct hook *hook, enum bpf_attach_type attach_type, u32 ifindex);
/* Detaches what is there. The caller then waits for a grace period before it frees the hook. */
void hook_done(struct hook *hook);

/* The program to run now, NULL when none (read-side section). */
static inline struct prog *hook_prog(const struct hook *hook)
{
	return rcu_dereference(hook->prog);
}

static inline struct link *link_of_object(struct object *object)
{
	return container_of(object, struct link, object);
}

/*
 * Puts `prog` at the hook. The link takes a reference to the program. -EBUSY: the hook is
 * taken. -EINVAL: the program's type or attach type does not fit the hook.
 */
int link_new(struct hook *hook, enum bpf_link_type type, struct prog *prog, struct link **out);

/*
 * Replaces the link's program; a run sees either the old or the new one. `expected` not NULL:
 * only when it is the current one (-EPERM). -ENOLINK: the link is detached. -EINVAL: another
 * type.
 */
int link_update(struct link *link, struct prog *prog, struct prog *expected);

/* Takes the program off the hook. Detaching twice is no error. */
int link_detach(struct link *link);

#endif
