/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What values of local storage belong to: a thread, a socket, the inode behind an open file, a
 * cgroup. Each is known by what never names another one: a thread by its id and the time when
 * it started, a socket by its cookie, an inode by its device, number and birth, a cgroup by its
 * id, its tree and whether that is the v2 tree.
 *
 * Nobody tells when one of them ends, and holding a socket or a file open would change what
 * the program that owns it does. So each owner has a witness (witness.h), who is asked when
 * there are twice as many owners as were alive the last time.
 *
 * Locks: owner->lock is a leaf but for the lock of one map's list of values
 * (local_storage.c). The registry's lock is taken before both. Owners are freed after a grace
 * period; `gone` is set under owner->lock before.
 */
#ifndef SKEP_MAP_OWNER_H
#define SKEP_MAP_OWNER_H

#include "base/rcu.h"
#include "map/witness.h"
#include <stdatomic.h>

#define OWNER_CACHE 16

enum owner_kind { OWNER_TASK, OWNER_SOCKET, OWNER_INODE, OWNER_CGROUP };

struct owner_key {
	u64 kind; /* enum owner_kind */
	u64 id[3];
};

struct local_value; /* private to local_storage.c */
struct owners;	    /* those that one engine knows */

struct owner {
	struct owner_key key;
	u32 lock;		     /* value_spin_lock(): of the list and the cache */
	bool gone;		     /* takes no more values */
	struct cds_list_head values; /* struct local_value; readers use RCU */
	/* One place for each map, which may share it with others. */
	_Atomic(struct local_value *) cache[OWNER_CACHE];
	/* A thread's: what programs have for it; release_object(object) comes with its end. */
	void *object;
	void (*release_object)(void *object);
	_Atomic(void *) claim; /* a socket's: the reuseport array that has it; NULL: none */
	struct witness witness;
	struct cds_list_head bucket;
	struct rcu_head rcu;
};

struct owners *owners_new(void);	 /* NULL: out of memory */
void owners_free(struct owners *owners); /* no map has values any more; NULL is allowed */

u32 owners_count(struct owners *owners); /* those that are known, ended ones with them */

/* --- inside a read-side section, which keeps what they return --- */

/* NULL: it never had a value. */
struct owner *owner_find(struct owners *owners, const struct owner_key *key);
/* The same, made when it is not there. `fd`: a descriptor of it; -1: none, then nobody can say
 * when it ends, unless it is a thread. NULL: out of memory. */
struct owner *owner_make(struct owners *owners, const struct owner_key *key, int fd);
/* Whether it has ended; enters the kernel. What never had an owner counts as ended. */
bool owner_is_gone(struct owners *owners, const struct owner_key *key);
/* The calling thread's. May enter the kernel the first time. NULL: out of memory, or no
 * /proc. */
struct owner *owner_current_task(struct owners *owners);
/* One that nothing names; its maker calls owner_end(). */
struct owner *owner_unnamed(enum owner_kind kind);
/* It has ended: its values go, and so does it. Only of owner_unnamed(). */
void owner_end(struct owner *owner);

/*
 * What a descriptor of user space means, with Linux's errno: a pidfd of a process or thread, a
 * socket, any open file, a directory of the cgroup tree.
 */
int owner_key_of_fd(enum owner_kind kind, int fd, struct owner_key *out);

/* Given by local_storage.c: all values of the owner go, which takes no others from now on. */
void local_storage_drop(struct owner *owner);

#endif
