/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine: one bpf(2) world. This header is private to src/sys and shared by its files; the
 * public face is include/skep/skep.h.
 *
 * Locks: engine->lock guards the object tables, the descriptors and the pins, and is a leaf:
 * never call object_put() or another room with it held.
 */
#ifndef SKEP_SYS_ENGINE_H
#define SKEP_SYS_ENGINE_H

#include "base/error.h"
#include "base/object.h"
#include "helper/run_context.h"
#include "jit/jit.h"
#include "map/map.h"
#include "sys/code.h"
#include "sys/descriptor.h"
#include "sys/hosted.h"
#include "sys/kernel_btf.h"
#include "sys/object_table.h"
#include "sys/pin.h"
#include <pthread.h>
#include <skep/skep.h>

struct budget;
struct groups;
struct net;
struct reaper;
struct relays;
struct shared;

struct skep_engine {
	u32 rights; /* enum skep_rights */
	bool verify_only;
	enum jit_tier jit;
	struct run_env env;
	struct budget *budget; /* of the maps' memory */
	struct reaper *reaper; /* frees large maps */
	struct shared *shared; /* the region of its maps; NULL: none */
	bool private_rest;     /* what cannot be there is private */
	struct code_list codes;
	struct reaper *compiler; /* makes code in the background; NULL: no program waits for it */
	u32 jit_background;	 /* instructions of a program that does */
	u32 jit_harden;		 /* enum skep_jit_harden */
	atomic_bool is_ending;
	struct net *net;
	struct relays *relays; /* of sockets whose data goes through programs */
	struct groups *groups; /* control groups whose programs see the process's sockets */
	struct kernel_btf kernel_btf;
	struct hosted hosted;

	void (*trace)(void *cookie, const char *text, size_t length);
	void *trace_cookie;
	void (*explain)(void *cookie, struct skep_explanation *explanation);
	void *explain_cookie;
	int trace_read, trace_write; /* the pipe that keeps lines when `trace` is NULL */

	pthread_mutex_t lock;
	struct object_table objects[OBJECT_KINDS];
	struct descriptor_table descriptors;
	struct pin_table pins;
};

static inline bool engine_may(const struct skep_engine *engine, u32 rights)
{
	return (engine->rights & rights) == rights;
}

/* The calling thread's record, cleared: what a function of the public face starts with. */
struct skep_error *engine_error_start(struct skep_engine *engine);

/* What the engine's maps are made with. */
struct map_world engine_world(const struct skep_engine *engine);

/* Waits until the memory of maps that user space has closed is free. In a read-side
 * section it does not wait. */
void engine_settle(struct skep_engine *engine);

/* Drops what user space held; a prog array that nobody can reach any more is emptied, because
 * it and its programs may hold each other. */
void engine_drop_user(struct object *object);

#endif
