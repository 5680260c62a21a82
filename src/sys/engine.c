/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/engine.h"

#include "base/os.h"
#include "base/rcu.h"
#include "cgroup/groups.h"
#include "helper/cpumask.h"
#include "helper/kernel_object.h"
#include "map/account.h"
#include "map/async.h"
#include "map/device.h"
#include "map/map.h"
#include "map/owner.h"
#include "map/route.h"
#include "map/shared.h"
#include "net/net.h"
#include "relay/relays.h"
#include "run/run.h"
#include "run/stream.h"
#include "sys/compile.h"
#include "sys/region.h"
#include "sys/trace.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A thread keeps one record: that of the engine it called last. */
static _Thread_local struct {
	const struct skep_engine *engine;
	struct skep_error error;
} last;

struct skep_error *engine_error_start(struct skep_engine *engine)
{
	last.engine = engine;
	error_clear(&last.error);
	return &last.error;
}

const struct skep_error *skep_engine_error(struct skep_engine *engine)
{
	if (last.engine != engine)
		engine_error_start(engine);
	return &last.error;
}

const char *skep_version(void)
{
	return SKEP_VERSION;
}

/* The caller's structure may be older or newer than ours: what it has beyond ours must be 0. */
static int read_opts(const struct skep_engine_opts *from, struct skep_engine_opts *opts,
		     struct skep_error *err)
{
	const u8 *bytes = (const u8 *)from;

	*opts = (struct skep_engine_opts){.sz = sizeof(*opts)};
	if (!from)
		return 0;
	for (size_t i = sizeof(*opts); i < from->sz; i++)
		if (bytes[i])
			return error_set(err, SKEP_STAGE_CALL, -E2BIG,
					 "skep_engine_opts has options that skep %s lacks",
					 SKEP_VERSION);
	memcpy(opts, from, min(from->sz, sizeof(*opts)));
	if (opts->slots > SLOTS_MAX || (opts->rights & ~SKEP_RIGHTS_ALL) ||
	    opts->jit > SKEP_JIT_FULL || (opts->jit_debug & ~SKEP_JIT_DEBUG_ALL) ||
	    opts->jit_harden > SKEP_JIT_HARDEN_ALL)
		return error_set(err, SKEP_STAGE_CALL, -EINVAL,
				 "skep_engine_opts: slots %u (at most %u), rights %#x, jit %u, "
				 "jit_debug %#x, jit_harden %u",
				 opts->slots, SLOTS_MAX, opts->rights, opts->jit,
				 opts->jit_debug, opts->jit_harden);
	return 0;
}

static bool has_port(void *engine, u32 ifindex)
{
	return net_has_port(((struct skep_engine *)engine)->net, ifindex);
}

static int call_bpf(void *engine, int command, union bpf_attr *attr, u32 size)
{
	return skep_bpf(engine, command, attr, size);
}

static u32 find_type(void *engine, const char *name, u32 kind)
{
	const struct btf_view *view =
		kernel_btf_view(&((struct skep_engine *)engine)->kernel_btf);

	return view ? btf_find(view, name, kind) : 0;
}

static const struct btf_view *kernel_types(void *engine)
{
	return kernel_btf_view(&((struct skep_engine *)engine)->kernel_btf);
}

static int transmit(struct run_context *run, u32 ifindex, const struct skb_ctx *skb,
		    bool is_received)
{
	struct skep_engine *engine = run->env->engine;

	return net_transmit(engine->net, run->path, ifindex, skb, is_received);
}

static void deliver(void *engine, struct xdp_ctx *ctx, u32 action, struct run_context *run)
{
	net_xdp_deliver(((struct skep_engine *)engine)->net, ctx, action, run);
}

static void call_later(void *engine, struct object *prog, u64 function, const u64 args[5])
{
	prog_call_later(&((struct skep_engine *)engine)->env,
			container_of(prog, struct prog, object), function, args);
}

static enum jit_tier tier_of(const struct skep_engine_opts *opts)
{
	if (opts->checked)
		return JIT_OFF;
	switch ((enum skep_jit)opts->jit) {
	case SKEP_JIT_OFF: return JIT_OFF;
	case SKEP_JIT_BASE: return JIT_BASE;
	case SKEP_JIT_DEFAULT:
	case SKEP_JIT_FULL: break;
	}
	return JIT_FULL;
}

static int engine_init(struct skep_engine *engine, const struct skep_engine_opts *opts,
		       struct skep_error *err)
{
	u32 slots = opts->slots ? opts->slots : min(os_possible_cpus(), SLOTS_MAX);
	int ret;

	engine->verify_only = opts->verify_only;
	engine->jit = tier_of(opts);
	engine->jit_background = opts->jit_background;
	engine->jit_harden = opts->jit_harden;
	engine->rights = opts->rights_given ? opts->rights : SKEP_RIGHTS_ALL;
	if (engine->rights & SKEP_RIGHT_ADMIN)
		engine->rights = SKEP_RIGHTS_ALL;
	engine->env = (struct run_env){.engine = engine,
				       .fuel = opts->fuel,
				       .trace = trace_write,
				       .stream = prog_stream_write,
				       .checked = opts->checked,
				       .violation = trace_violation,
				       .bpf = call_bpf,
				       .find_type = find_type,
				       .kernel_types = kernel_types,
				       .has_port = has_port,
				       .transmit = transmit,
				       .xdp_deliver = deliver};
	ret = code_list_init(&engine->codes, opts, err);
	if (ret)
		return ret;
	engine->explain = opts->explain;
	engine->explain_cookie = opts->explain_cookie;
	ret = trace_init(engine, opts);
	if (ret)
		return ret;
	engine->env.own = own_world_new(opts->checked);
	engine->env.cpumask = engine->env.own ? cpumask_type_new(engine->env.own) : NULL;
	engine->env.async = async_world_new(call_later, engine);
	engine->env.kernel = kernel_world_new(&engine->env);
	if (!engine->env.cpumask || !engine->env.async || !engine->env.kernel)
		return -ENOMEM;
	ret = region_init(engine, opts, err);
	if (ret)
		return ret;
	engine->private_rest = opts->region_or_private;
	engine->env.slots = engine->shared ? slots_new_in(shared_commons(engine->shared),
							  shared_slots(engine->shared))
					   : slots_new(slots);
	engine->budget = budget_new(opts->memory_limit);
	engine->reaper = reaper_new();
	engine->compiler = reaper_new();
	engine->env.owners = owners_new();
	engine->env.routes = routes_new();
	engine->relays = relays_new(&engine->env);
	engine->groups = groups_new(&engine->env);
	if (engine->env.slots && engine->env.owners && engine->env.routes && engine->budget &&
	    engine->reaper && engine->relays && engine->groups && engine->compiler)
		engine->net = net_new(&engine->env);
	return engine->net ? 0 : -ENOMEM;
}

struct skep_engine *skep_engine_new(const struct skep_engine_opts *from, struct skep_error *err)
{
	struct skep_engine_opts opts;
	struct skep_engine *engine;
	struct skep_error why = {};
	int ret;

	if (read_opts(from, &opts, err))
		return NULL;
	engine = calloc(1, sizeof(*engine));
	if (!engine) {
		error_set(err, SKEP_STAGE_CALL, -ENOMEM, "no memory for an engine");
		return NULL;
	}
	pthread_mutex_init(&engine->lock, NULL);
	kernel_btf_init(&engine->kernel_btf);
	error_clear(err);
	engine->trace_read = engine->trace_write = -1;
	pthread_mutex_init(&engine->codes.lock, NULL);
	CDS_INIT_LIST_HEAD(&engine->codes.records);
	engine->codes.perf_map = -1;
	ret = descriptors_init(&engine->descriptors);
	if (!ret)
		ret = hosted_init(engine, opts.extension, &why);
	if (!ret)
		ret = engine_init(engine, &opts, &why);
	if (ret) {
		if (!why.code)
			error_set(&why, SKEP_STAGE_CALL, ret, "an engine cannot start: %s",
				  strerror(-ret));
		if (err)
			*err = why;
		skep_engine_free(engine);
		return NULL;
	}
	engine_error_start(engine);
	return engine;
}

/* Objects that are freed give back what they hold, which then waits for readers, too. */
static void wait_for_own(struct own_world *own)
{
	u64 before = UINT64_MAX;

	while (own && own_world_count(own) && own_world_count(own) < before) {
		before = own_world_count(own);
		rcu_barrier();
	}
}

/* A program that stands in a map which it uses itself is held by that map, and holds it. */
static void empty_device_maps(struct skep_engine *engine)
{
	u32 id = 0;

	while ((id = object_next_id(engine, OBJECT_MAP, id))) {
		struct object *object = object_by_id(engine, OBJECT_MAP, id);
		struct map *map = object ? map_of_object(object) : NULL;

		if (map && map_holds_devices(map))
			map_device_clear(map);
		if (object)
			object_put(object);
	}
}

/* From the outside in: what packets reach, then what user space holds, then what is left. */
void skep_engine_free(struct skep_engine *engine)
{
	if (!engine)
		return;
	if (engine->net)
		net_free(engine->net);
	if (engine->env.routes)
		routes_forget_programs(engine->env.routes);
	compile_stop(engine);
	hosted_leave_hooks(&engine->hosted);
	groups_stop(engine->groups);
	relays_stop(engine->relays);
	pins_done(engine);
	descriptors_done(engine);
	empty_device_maps(engine);
	/* Releases that wait for readers put further objects, which wait in turn. */
	for (u32 round = 0; round < 3; round++) {
		rcu_barrier();
		if (engine->reaper)
			reaper_drain(engine->reaper);
	}
	if (engine->reaper)
		reaper_stop(engine->reaper);
	rcu_barrier();
	hosted_done(&engine->hosted);
	for (u32 kind = 0; kind < OBJECT_KINDS; kind++)
		object_table_done(&engine->objects[kind]);
	async_world_free(engine->env.async);
	wait_for_own(engine->env.own);
	own_type_put(engine->env.cpumask);
	own_world_put(engine->env.own);
	trace_done(engine);
	rcu_barrier(); /* the records of programs' code */
	code_list_done(&engine->codes);
	owners_free(engine->env.owners);
	kernel_world_free(engine->env.kernel);
	routes_free(engine->env.routes);
	relays_free(engine->relays);
	groups_free(engine->groups);
	slots_free(engine->env.slots);
	shared_close(engine->shared);
	reaper_put(engine->reaper);
	reaper_put(engine->compiler);
	budget_put(engine->budget);
	kernel_btf_done(&engine->kernel_btf);
	pthread_mutex_destroy(&engine->lock);
	if (last.engine == engine)
		last.engine = NULL;
	free(engine);
}

void engine_drop_user(struct object *object)
{
	/* Both sides: what the other users did is done before the map hears of the end. */
	if (atomic_fetch_sub_explicit(&object->users, 1, memory_order_acq_rel) == 1 &&
	    object->kind == OBJECT_MAP)
		map_user_gone(map_of_object(object));
	object_put(object);
}

struct map_world engine_world(const struct skep_engine *engine)
{
	return (struct map_world){.slots = slots_count(engine->env.slots),
				  .hook = relays_hook(engine->relays),
				  .budget = engine->budget,
				  .reaper = engine->reaper,
				  .shared = engine->shared,
				  .private_rest = engine->private_rest,
				  .owners = engine->env.owners};
}

/* What the callbacks put may wait for readers in its turn. */
void engine_settle(struct skep_engine *engine)
{
	descriptors_reap(engine);
	/* A program that calls bpf(2): nobody may wait for readers in it. */
	if (rcu_read_ongoing())
		return;
	for (u32 round = 0; round < 2; round++) {
		rcu_barrier();
		reaper_drain(engine->reaper);
	}
}
