/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers on maps: the map is r1, the run is the read-side section. */
#include "helper/body.h"
#include "map/map.h"

#include <errno.h>

HELPER_BODY(map_lookup_elem)
{
	return ptr_to_u64(map_lookup(u64_to_ptr(r1), u64_to_ptr(r2), run->slot));
}

HELPER_BODY(map_update_elem)
{
	return map_update(u64_to_ptr(r1), u64_to_ptr(r2), u64_to_ptr(r3), r4, run->slot);
}

HELPER_BODY(map_delete_elem)
{
	return map_delete(u64_to_ptr(r1), u64_to_ptr(r2), run->slot);
}

HELPER_BODY(map_push_elem)
{
	return map_push(u64_to_ptr(r1), u64_to_ptr(r2), r3);
}

HELPER_BODY(map_pop_elem)
{
	return map_pop(u64_to_ptr(r1), u64_to_ptr(r2));
}

HELPER_BODY(map_peek_elem)
{
	return map_peek(u64_to_ptr(r1), u64_to_ptr(r2));
}

HELPER_BODY(map_lookup_percpu_elem)
{
	return ptr_to_u64(map_lookup_slot(u64_to_ptr(r1), u64_to_ptr(r2), (u32)r3));
}

struct visit {
	struct run_context *run;
	u64 map, function, cookie;
};

static long visit_element(void *cookie, void *key, void *value)
{
	const struct visit *visit = cookie;
	const struct map *map = u64_to_ptr(visit->map);
	const u64 args[5] = {visit->map, ptr_to_u64(key), ptr_to_u64(value), visit->cookie};
	const struct run_region outer = visit->run->key;
	long ret;

	visit->run->key = (struct run_region){key, map->desc.key_size};
	ret = (long)visit->run->call_back(visit->run, visit->function, args);
	visit->run->key = outer;
	return ret;
}

HELPER_BODY(for_each_map_elem)
{
	struct visit visit = {.run = run, .map = r1, .function = r2, .cookie = r3};

	if (r4)
		return -EINVAL;
	return map_for_each(u64_to_ptr(r1), run->slot, visit_element, &visit);
}
