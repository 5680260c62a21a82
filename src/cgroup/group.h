/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room. */
#ifndef SKEP_CGROUP_GROUP_H
#define SKEP_CGROUP_GROUP_H

#include "catalog/ctx.h"
#include "cgroup/groups.h"

#include <stdatomic.h>
#include <sys/socket.h>

#define GROUP_DEPTH	 64
#define GROUP_PROGS	 64 /* as Linux: of one group and attach type */
#define GROUP_TYPES	 64 /* attach types */
#define GROUP_MODE_FLAGS (BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI)

/* The programs of one group and attach type. Once made it stays until the end. */
struct group_hook {
	struct hook hook;
	atomic_uint mode; /* GROUP_MODE_FLAGS; means something while there are programs */
	struct cds_list_head list;
};

/* A TCP socket that programs want to hear of. */
struct watched {
	struct cds_list_head list;
	u64 cookie;
	int fd;
	u32 events;	 /* BPF_SOCK_OPS_*_CB_FLAG */
	bool is_pending; /* connect() has begun, and nobody has seen its end */
};

struct groups {
	const struct run_env *env;
	pthread_mutex_t lock;
	struct cds_list_head hooks;    /* readers use RCU */
	atomic_uint used[GROUP_TYPES]; /* hooks that were made, by attach type */
	struct cds_list_head watched;
	atomic_uint pending;
};

/* The ids of a group and those above it, from itself to the root. */
struct group_path {
	u64 ids[GROUP_DEPTH];
	u32 count;
};

/* -EBADF, -ENOENT: no directory of a v2 tree. */
int group_path_of_fd(int fd, struct group_path *out);
/* Of the process, as it is now; empty: it is in none. */
void group_path_of_process(struct group_path *out);

/* In a read-side section or with the lock held; NULL: none. */
struct group_hook *group_find(struct groups *groups, u64 id, enum bpf_attach_type type);

/* --- run.c --- */

/* The programs that run in the group of the path, in their order; in a read-side section. */
typedef void group_visit(const struct group_hook *hook, const struct attachment *at,
			 void *cookie);
void group_each(struct groups *groups, const struct group_path *path, enum bpf_attach_type type,
		group_visit *visit, void *cookie);

/* What programs see and say of one call. */
struct group_call {
	enum bpf_attach_type type;
	void *ctx;
	struct sock_ctx *sk;
	int fd;
	s32 retval;    /* what the call returns, as things stand */
	u32 said;      /* bits that programs returned above the lowest */
	bool may_join; /* maps of sockets take it now */
	/* Memory beside the context that programs may touch. */
	void *memory;
	size_t size;
	/* After each program; NULL: nothing to do. */
	void (*after)(struct group_call *call, struct run_context *run);
};

/* Whether there may be programs: cheap. */
static inline bool groups_use(const struct groups *groups, enum bpf_attach_type type)
{
	return atomic_load_explicit(&groups->used[type], memory_order_relaxed);
}

/* Runs all that the process's groups have. 0 or a negative errno: the programs' verdict. */
int group_run(struct groups *groups, struct group_call *call);

/* --- create.c --- */

/* After bind(): 0, or why programs refuse it. */
int create_bound(struct groups *groups, int fd);

/* --- event.c --- */

/* What happens to a TCP socket of the process around calls; `ret` is what the call returned. */
void event_connect(struct groups *groups, int fd, const struct sockaddr *to);
void event_connected(struct groups *groups, int fd, int ret);
void event_accepted(struct groups *groups, int listener, int fd);

/* The socket as programs see it, with its descriptor. False: it is none. */
bool group_describe(int fd, struct sock_ctx *out);

#endif
