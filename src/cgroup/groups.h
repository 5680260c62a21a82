/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control groups of the v2 tree as places where programs are attached, and the calls on sockets
 * that such programs are asked about. The kernel runs them inside the calls; here whoever makes
 * a call for the process (skep/socket.h, the preload library) makes it through sockets.h.
 *
 * Which programs run is decided at each call: those of the group in which the process is, and
 * of the groups above it, by Linux's rules (BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI).
 *
 *	groups.c    the hooks of groups: attach, detach, list
 *	run.c       what runs now, and what comes of it
 *	address.c   calls with addresses: cgroup/connect4 and the like
 *	create.c    sockets that are made or bound: cgroup/sock_create, cgroup/post_bind4
 *	event.c     what happens to TCP sockets: sockops
 *	option.c    cgroup/getsockopt, cgroup/setsockopt
 *
 * Locks: groups->lock guards the hooks' flags and the table of sockets with events, and is
 * taken before the lock of all hooks. No program runs while it is held.
 */
#ifndef SKEP_CGROUP_GROUPS_H
#define SKEP_CGROUP_GROUPS_H

#include "hook/hook.h"

struct groups;
struct run_env;

/* NULL: out of memory. `env` stays the caller's and must live as long. */
struct groups *groups_new(const struct run_env *env);
/* No program runs any more. NULL is allowed. */
void groups_stop(struct groups *groups);
void groups_free(struct groups *groups); /* NULL is allowed; after a grace period */

/* Whether calls of this process are where programs of the type run. */
bool groups_have(u32 attach_type);

/* What of a group is asked for: a descriptor of its directory, and Linux's flags. */
struct group_request {
	int fd;
	enum bpf_attach_type attach_type;
	u32 flags;
	/* Beside which other one, and what the caller believes the revision to be. */
	const struct hook_request *place;
};

/* As Linux: -EBADF, -ENOENT: no group; -EPERM: a group above, or this one, forbids it; -EINVAL:
 * flags; -ESTALE, -E2BIG. */
int groups_attach(struct groups *groups, const struct group_request *request, struct prog *prog,
		  const struct prog *replaced);
int groups_detach(struct groups *groups, const struct group_request *request,
		  const struct prog *prog);
int groups_link(struct groups *groups, const struct group_request *request, struct prog *prog,
		struct link **out);

struct group_listing {
	u32 flags, count;
	u64 revision;
	u32 prog_ids[CHAIN_MAX + 1];
};

/* What is attached to the group itself or, with `is_effective`, what would run in it. */
int groups_list(struct groups *groups, const struct group_request *request, bool is_effective,
		struct group_listing *out);

#endif
