/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks: places where programs run, and links: a loaded program at a hook. A hook belongs to
 * what it sits on (a port); a link is an object of bpf(2) that keeps its program, and loses its
 * hook when the port goes away (as a Linux link survives its device). Several programs of a
 * hook are a chain (hook/chain.h).
 *
 * Threads: hook_chain() and hook_prog() are read inside a read-side section; everything else
 * may be called from any thread and is serialised by one lock of all hooks. Attaching,
 * detaching and replacing a program never stop a reader: each run is of the old or of the new
 * one.
 */
#ifndef SKEP_HOOK_HOOK_H
#define SKEP_HOOK_HOOK_H

#include "base/object.h"
#include "hook/chain.h"
#include <pthread.h>

struct hook {
	enum bpf_attach_type attach_type;
	u32 ifindex;	     /* the port it sits on; 0: none */
	u32 btf_id;	     /* the function of the host that it is; 0: none */
	u64 cgroup;	     /* the id of the control group that it sits on; 0: none */
	u32 queues;	     /* for each the programs are counted apart */
	u64 revision;	     /* of what is attached, as PROG_QUERY tells it; from 1 on */
	struct chain *chain; /* what runs; NULL: nothing. RCU-protected, owned */
};

struct link {
	struct object object; /* first: an object of kind OBJECT_LINK */
	enum bpf_link_type type;
	enum bpf_attach_type attach_type;
	u32 ifindex;	   /* stays after the hook is gone: 0 then */
	u64 cgroup;	   /* of the hook */
	u64 cookie;	   /* what bpf_get_attach_cookie() tells its program */
	struct prog *prog; /* reference */
	struct hook *hook; /* NULL once detached */
	struct rcu_head rcu;
};

void hook_init(struct hook *hook, enum bpf_attach_type attach_type, u32 ifindex);
/* Detaches what is there. The caller then waits for a grace period before it frees the hook. */
void hook_done(struct hook *hook);

/* The programs to run now, NULL when there are none (read-side section). */
static inline const struct chain *hook_chain(const struct hook *hook)
{
	return rcu_dereference(hook->chain);
}

/* The program of an attachment now. */
static inline struct prog *attachment_prog(const struct attachment *attachment)
{
	return rcu_dereference(attachment->prog);
}

/* What its link says to the program; 0: nothing. */
static inline u64 attachment_cookie(const struct attachment *attachment)
{
	return attachment->link ? attachment->link->cookie : 0;
}

/* The first of them; of a hook that takes one at a time the only one. */
static inline struct prog *hook_prog(const struct hook *hook)
{
	const struct chain *chain = hook_chain(hook);

	return chain ? attachment_prog(chain->at[0]) : NULL;
}

static inline struct link *link_of_object(struct object *object)
{
	return container_of(object, struct link, object);
}

/* Where the program goes, and who may say so. */
struct hook_request {
	struct chain_place place;
	u64 revision; /* what the caller believes the hook's to be; 0: it does not care */
	u64 cookie;   /* the link's */
};

/*
 * Puts `prog` at the hook. The link takes a reference to the program. `request` NULL: alone.
 * -EBUSY: the hook is taken. -EINVAL: the program's type or attach type does not fit the hook.
 * -ESTALE, -EEXIST, -ENOENT, -ERANGE: as Linux of the place.
 */
int link_new(struct hook *hook, enum bpf_link_type type, struct prog *prog,
	     const struct hook_request *request, struct link **out);

/*
 * Replaces the link's program; a run sees either the old or the new one. `expected` not NULL:
 * only when it is the current one (-EPERM). -ENOLINK: the link is detached. -EINVAL: another
 * type. -EEXIST: the program is at the hook already.
 */
int link_update(struct link *link, struct prog *prog, struct prog *expected);

/* Takes the program off the hook. Detaching twice is no error. */
int link_detach(struct link *link);

/* The same without a link; with BPF_F_REPLACE in place of another program. */
int hook_attach(struct hook *hook, struct prog *prog, const struct hook_request *request);
int hook_detach(struct hook *hook, const struct prog *prog, const struct hook_request *request);

/* Takes off what has this program (NULL: whatever program) and no link. -ENOENT. */
int hook_take_off(struct hook *hook, const struct prog *prog);

/* What is attached, in order; the numbers of programs and links. Returns how many there are,
 * and gives no more than `room` of them. */
struct hook_listing {
	u32 prog_id, link_id; /* 0: no link */
};
u32 hook_list(struct hook *hook, struct hook_listing *out, u32 room, u64 *revision);

/* Locks out everybody who would change what is attached anywhere, so that the chain can be read
 * outside of a section and what programs are known by. */
void hook_lock_all(void);
void hook_unlock_all(void);

#endif
