/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a map: its timers end, readers leave, what its values hold is given back, its
 * memory goes. A small map does it at once, in a callback of call_rcu(); a large one, or one
 * whose values hold lists, in steps on the engine's thread for such work, so that neither who
 * closed it nor anybody else waits for it.
 */
#include "map/end.h"

#include "map/account.h"
#include "map/async.h"
#include "map/ops.h"
#include "map/own.h"
#include "map/reaper.h"
#include "map/shared.h"
#include "map/value.h"

#include <stdlib.h>

/* From so many bytes on a map goes in steps. */
#define LARGE_BYTES (1UL << 20)
/* Elements and objects of one step. */
#define STEP 8192

enum stage { STAGE_TIMERS, STAGE_VALUES, STAGE_TYPE };

static bool may_have_timers(const struct map *map)
{
	const u32 later = BTF_FIELD_BIT(BTF_FIELD_TIMER) | BTF_FIELD_BIT(BTF_FIELD_WORKQUEUE);

	return (map->desc.fields.kinds & later) && map->ops->walk;
}

static bool is_large(const struct map *map)
{
	const u32 many = BTF_FIELD_BIT(BTF_FIELD_LIST_HEAD) | BTF_FIELD_BIT(BTF_FIELD_RB_ROOT);

	return map->reaper &&
	       (map_bytes(map) >= LARGE_BYTES || (map->desc.fields.kinds & many));
}

/* --- timers and work --- */

static long cancel_value(void *cookie, void *key, void *value)
{
	static const enum btf_field_kind kinds[] = {BTF_FIELD_TIMER, BTF_FIELD_WORKQUEUE};
	const struct map_desc *desc = cookie;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (map_desc_field(desc, kinds[i]) >= 0)
			async_release((u8 *)value + map_desc_field(desc, kinds[i]));
	return 0;
}

/* Whether there are more. */
static bool cancel_some(struct map *map, struct map_cursor *at, u32 limit)
{
	u32 count;

	rcu_read_lock();
	count = map->ops->walk(map, at, 0, limit, cancel_value, &map->desc);
	rcu_read_unlock();
	return count == limit;
}

/* The timers of a map that lives on: programs still have it. */
struct cancel {
	struct chore chore;
	struct map *map; /* reference */
	struct map_cursor at;
};

static bool cancel_step(struct chore *chore)
{
	struct cancel *cancel = container_of(chore, struct cancel, chore);

	if (cancel_some(cancel->map, &cancel->at, STEP))
		return false;
	object_put(&cancel->map->object);
	free(cancel);
	return true;
}

void map_cancel(struct map *map)
{
	struct cancel *cancel = NULL;
	struct map_cursor at = {};

	if (!may_have_timers(map))
		return;
	if (is_large(map))
		cancel = calloc(1, sizeof(*cancel));
	if (cancel) {
		cancel->chore.step = cancel_step;
		cancel->map = map;
		object_get(&map->object);
		if (reaper_add(map->reaper, &cancel->chore))
			return;
		object_put(&map->object);
		free(cancel);
	}
	cancel_some(map, &at, UINT32_MAX);
}

/* --- values, which nobody reaches any more --- */

struct release {
	struct map *map;
	u32 left; /* so many objects may go in this step */
};

/* Non-zero: the value is not done. Lists and trees are changed under the value's lock, but
 * nobody else is here. */
static long release_value(void *cookie, void *key, void *value)
{
	struct release *release = cookie;

	return !own_release_some(&release->map->desc.fields, value, &release->left);
}

/* The first copy of the values that is not done, or all of them: false. */
static bool release_some(struct map *map, u32 limit)
{
	const u32 copies = map_desc_is_per_cpu(&map->desc) ? map->slots : 1;
	struct release release = {map, limit};
	struct map_cursor before;
	u32 count;

	if (!value_has_fields(&map->desc) || !map->ops->walk || map->end.slot == copies)
		return false;
	do {
		before = map->end.at;
		count = map->ops->walk(map, &map->end.at, map->end.slot, 1, release_value,
				       &release);
		if (!release.left)
			map->end.at = before; /* once more, for what is left of it */
		limit--;
	} while (count && release.left && limit);
	if (!count) {
		map->end.slot++;
		map->end.at = (struct map_cursor){};
	}
	return map->end.slot < copies;
}

/* --- the whole --- */

static void free_structure(struct map *map)
{
	if (map->extent)
		shared_forget(map);
	object_put(map->btf);
	object_put(map->inner_btf);
	account_uncharge(map->account, map->ops->size);
	account_put(map->account);
	reaper_put(map->reaper);
	free(map);
}

static void end_at_once(struct rcu_head *head)
{
	struct map *map = container_of(head, struct map, rcu);

	while (release_some(map, UINT32_MAX))
		;
	while (map->ops->done_some && map->ops->done_some(map, UINT32_MAX))
		;
	map->ops->done(map);
	free_structure(map);
}

static bool end_step(struct chore *chore)
{
	struct map *map = container_of(chore, struct map, end.chore);

	switch ((enum stage)map->end.stage) {
	case STAGE_TIMERS:
		if (may_have_timers(map) && cancel_some(map, &map->end.at, STEP))
			return false;
		/* Who calls for a timer may be in a section that began before. */
		synchronize_rcu();
		map->end.at = (struct map_cursor){};
		map->end.stage++;
		return false;
	case STAGE_VALUES: map->end.stage += !release_some(map, STEP); return false;
	case STAGE_TYPE: break;
	}
	if (map->ops->done_some && map->ops->done_some(map, STEP))
		return false;
	map->ops->done(map);
	free_structure(map);
	return true;
}

/* What would be called for the map comes no more, or is in a section that began before. */
void map_release(struct object *object)
{
	struct map *map = map_of_object(object);
	struct map_cursor at = {};

	map->end.chore.step = end_step;
	if (is_large(map) && reaper_add(map->reaper, &map->end.chore))
		return;
	if (may_have_timers(map))
		cancel_some(map, &at, UINT32_MAX);
	call_rcu(&map->rcu, end_at_once);
}
