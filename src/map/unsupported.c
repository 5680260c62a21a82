/* SPDX-License-Identifier: BSD-2-Clause */
/* The map types of Linux that skep does not have: creation says so. */
#include "map/ops.h"

static int refuse(struct map_desc *desc, struct skep_error *err)
{
	return map_refuse(desc, err, -EOPNOTSUPP, "skep does not have this map type");
}

/* Never called: the check always refuses. */
static int init(struct map *map)
{
	return -EOPNOTSUPP;
}

static void done(struct map *map)
{
}

#define UNSUPPORTED                                                                     \
	{                                                                               \
		.size = sizeof(struct map), .check = refuse, .init = init, .done = done \
	}

const struct map_ops map_stack_trace = UNSUPPORTED;
const struct map_ops map_cgroup_array = UNSUPPORTED;
const struct map_ops map_sockmap = UNSUPPORTED;
const struct map_ops map_sockhash = UNSUPPORTED;
const struct map_ops map_cgroup_storage = UNSUPPORTED;
const struct map_ops map_percpu_cgroup_storage = UNSUPPORTED;
const struct map_ops map_reuseport_sockarray = UNSUPPORTED;
const struct map_ops map_sk_storage = UNSUPPORTED;
const struct map_ops map_inode_storage = UNSUPPORTED;
const struct map_ops map_task_storage = UNSUPPORTED;
const struct map_ops map_cgrp_storage = UNSUPPORTED;
const struct map_ops map_struct_ops = UNSUPPORTED;
const struct map_ops map_user_ringbuf = UNSUPPORTED;
const struct map_ops map_arena = UNSUPPORTED;
