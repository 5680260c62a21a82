/* SPDX-License-Identifier: BSD-2-Clause */
/* ENABLE_STATS: run counts and times are kept while any descriptor of it is open. */
#include "run/run.h"
#include "sys/command.h"

#include <errno.h>
#include <stdlib.h>

static atomic_uint holders; /* over all engines: the switch is the executor's */

static void stats_release(struct object *object)
{
	if (atomic_fetch_sub_explicit(&holders, 1, memory_order_relaxed) == 1)
		run_stats_enable(false);
	free(object);
}

int command_enable_stats(struct call *call)
{
	struct object *object;
	int fd;

	if (!engine_may(call->engine, SKEP_RIGHT_ADMIN))
		return call_fail(call, -EPERM, "statistics need CAP_SYS_ADMIN");
	if (call->attr.v.enable_stats.type != BPF_STATS_RUN_TIME)
		return call_fail(call, -EINVAL, "type %u", call->attr.v.enable_stats.type);
	object = malloc(sizeof(*object));
	if (!object)
		return -ENOMEM;
	object_init(object, OBJECT_STATS, stats_release);
	if (atomic_fetch_add_explicit(&holders, 1, memory_order_relaxed) == 0)
		run_stats_enable(true);
	descriptors_reap(call->engine);
	fd = descriptor_open(call->engine, object, DESCRIPTOR_READ);
	object_put(object);
	return fd;
}
