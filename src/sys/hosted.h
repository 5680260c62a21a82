/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the application that made the engine offers (skep/extend.h): checked and copied once,
 * when the engine is made.
 */
#ifndef SKEP_SYS_HOSTED_H
#define SKEP_SYS_HOSTED_H

#include "base/arena.h"
#include "catalog/host.h"
#include "hook/hook.h"

struct skep_hook_point {
	struct skep_engine *engine;
	const struct host_hook *row;
	u32 arg_cnt;
	struct hook places[SKEP_HOOK_PROGS]; /* of its programs, in their order */
};

struct hosted {
	struct arena arena; /* owns the rows and what they name */
	struct host host;
	struct skep_hook_point *points; /* as host.hooks; owned */
	struct object *module; /* a reference: the BTF of its types; NULL: there is none */
};

/* `from` NULL: nothing. 0, or a negative errno with `err` filled in; hosted_done() either
 * way. */
int hosted_init(struct skep_engine *engine, const struct skep_extension *from,
		struct skep_error *err);
/* Before the descriptors: the hooks lose their programs. */
void hosted_leave_hooks(struct hosted *hosted);
void hosted_done(struct hosted *hosted);

/* NULL: the engine has none. */
const struct host *hosted_host(const struct hosted *hosted);
/* The hook whose function has this type; NULL: it is none. */
struct skep_hook_point *hosted_point(struct hosted *hosted, u32 btf_id);

/* A new link of the program at the hook: as link_new(), -E2BIG when all places are taken. */
int hook_point_attach(struct skep_hook_point *point, struct prog *prog, u64 cookie,
		      struct link **out);

#endif
