/* SPDX-License-Identifier: BSD-2-Clause */
/* PROG_BIND_MAP: a program keeps maps that it does not use. */
#include "base/rcu.h"
#include "map/map.h"
#include "sys/command.h"
#include "sys/prog_details.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool uses(const struct prog *prog, const struct map *map)
{
	for (u32 i = 0; i < prog->map_cnt; i++)
		if (prog->maps[i] == map)
			return true;
	return false;
}

int prog_bind(struct skep_engine *engine, struct prog *prog, struct map *map)
{
	struct map **grown = NULL;

	/* The program's list is read under this lock; running the program does not read it. */
	pthread_mutex_lock(&engine->lock);
	if (!uses(prog, map)) {
		grown = realloc(prog->maps, (prog->map_cnt + 1) * sizeof(*grown));
		if (grown) {
			grown[prog->map_cnt++] = map;
			prog->maps = grown;
			object_get(&map->object);
		}
	}
	pthread_mutex_unlock(&engine->lock);
	return grown || uses(prog, map) ? 0 : -ENOMEM;
}

int command_prog_bind_map(struct call *call)
{
	struct prog *prog;
	struct map *map;
	int ret = 0;

	if (call->attr.v.prog_bind_map.flags)
		return call_fail(call, -EINVAL, "flags %#x", call->attr.v.prog_bind_map.flags);
	prog = call_prog(call, call->attr.v.prog_bind_map.prog_fd, &ret);
	if (!prog)
		return ret;
	map = call_map(call, call->attr.v.prog_bind_map.map_fd, 0, &ret);
	if (map) {
		ret = prog_bind(call->engine, prog, map);
		object_put(&map->object);
	}
	object_put(&prog->object);
	return ret;
}
