/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of device maps, with the programs that are to run there. */
#include "map/device.h"
#include "run/run.h"
#include "sys/map_value.h"

#include <errno.h>

/* The program that is to run at the entry: one made for it, like the others of the map. Linux
 * has one errno for all that may be wrong with it. */
static int find_program(struct call *call, struct map *map, int fd, struct object **out)
{
	const bool is_cpumap = map->desc.type == BPF_MAP_TYPE_CPUMAP;
	const enum bpf_attach_type made_for = is_cpumap ? BPF_XDP_CPUMAP : BPF_XDP_DEVMAP;
	int ret = 0;
	struct prog *prog = call_prog(call, fd, &ret);

	if (!prog)
		return is_cpumap ? -ENOMEM : -EINVAL;
	*out = &prog->object;
	if (prog->type == BPF_PROG_TYPE_XDP && prog->attach_type == made_for &&
	    !owner_admit(map, prog))
		return 0;
	return call_fail(call, is_cpumap ? -ENOMEM : -EINVAL,
			 "program %d was not made for entries of this map", fd);
}

int map_value_update_device(struct call *call, struct map *map, const void *key,
			    const void *value, u64 flags)
{
	struct object *object = NULL;
	int ret;

	if (map->desc.frozen)
		return -EPERM;
	rcu_read_lock();
	ret = map_device_check(map, key, value, flags);
	rcu_read_unlock();
	ret = ret ?: find_program(call, map, map_device_program(map, value), &object);
	ret = ret ?: map_user_update_device(map, key, value, object, flags);
	object_put(object);
	return ret;
}
