/* SPDX-License-Identifier: BSD-2-Clause */
/* Iterators over the engine's own objects, and over the elements of a map. */
#include "helper/kernel_object.h"
#include "map/map.h"
#include "sys/iterator.h"
#include "sys/prog_details.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int iterator_read_nothing(struct call *call, const union bpf_iter_link_info *info,
			  const struct prog *prog, struct iterator_scope *out)
{
	return 0;
}

void iterator_describe_nothing(const struct iterator_scope *scope, struct bpf_link_info *out)
{
}

static struct kernel_world *world_of(const struct iterator *it)
{
	return it->call->engine->env.kernel;
}

/* --- what programs see of the objects --- */

static void *make_map(struct kernel_world *world, const struct map *map)
{
	const struct map_desc *desc = &map->desc;
	void *object = kernel_new(world, KERNEL_STRUCT_bpf_map);
	const struct {
		enum kernel_member member;
		u64 value;
	} members[] = {
		{KERNEL_bpf_map_map_type, desc->type},
		{KERNEL_bpf_map_key_size, desc->key_size},
		{KERNEL_bpf_map_value_size, desc->value_size},
		{KERNEL_bpf_map_max_entries, desc->max_entries},
		{KERNEL_bpf_map_map_extra, desc->extra},
		{KERNEL_bpf_map_map_flags, desc->flags},
		{KERNEL_bpf_map_id, map->object.id},
		{KERNEL_bpf_map_btf_key_type_id, desc->key_type},
		{KERNEL_bpf_map_btf_value_type_id, desc->value_type},
		{KERNEL_bpf_map_refcnt, (u64)atomic_load(&map->object.refs)},
		{KERNEL_bpf_map_usercnt, atomic_load(&map->object.users)},
		{KERNEL_bpf_map_frozen, desc->frozen},
	};

	for (u32 i = 0; object && i < ARRAY_SIZE(members); i++)
		kernel_set(object, members[i].member, members[i].value);
	if (object)
		kernel_set_text(object, KERNEL_bpf_map_name, desc->name);
	return object;
}

static void *make_aux(struct kernel_world *world, const struct prog *prog)
{
	const struct prog_details *details = prog->sys;
	void *aux = kernel_new(world, KERNEL_STRUCT_bpf_prog_aux);

	if (!aux)
		return NULL;
	kernel_set(aux, KERNEL_bpf_prog_aux_id, prog->object.id);
	kernel_set_text(aux, KERNEL_bpf_prog_aux_name, prog->name);
	kernel_set(aux, KERNEL_bpf_prog_aux_load_time, prog->load_time);
	kernel_set(aux, KERNEL_bpf_prog_aux_used_map_cnt, prog->map_cnt);
	kernel_set(aux, KERNEL_bpf_prog_aux_attach_btf_id, prog->attach_btf_id);
	kernel_set(aux, KERNEL_bpf_prog_aux_verified_insns,
		   prog->verified->stats.insns_processed);
	kernel_set(aux, KERNEL_bpf_prog_aux_func_info_cnt,
		   details ? details->func_info_cnt : 0);
	kernel_set(aux, KERNEL_bpf_prog_aux_nr_linfo, details ? details->line_info_cnt : 0);
	return aux;
}

static void *make_prog(struct kernel_world *world, const struct prog *prog)
{
	void *object = kernel_new(world, KERNEL_STRUCT_bpf_prog), *aux;

	if (!object)
		return NULL;
	aux = make_aux(world, prog);
	kernel_set(object, KERNEL_bpf_prog_type, prog->type);
	kernel_set(object, KERNEL_bpf_prog_expected_attach_type, prog->attach_type);
	kernel_set(object, KERNEL_bpf_prog_len, prog->verified->insn_cnt);
	kernel_set_bytes(object, KERNEL_bpf_prog_tag, prog->tag, sizeof(prog->tag));
	if (aux)
		kernel_set(aux, KERNEL_bpf_prog_aux_prog, ptr_to_u64(object));
	kernel_hold(object, KERNEL_bpf_prog_aux, aux);
	return object;
}

static void *make_link(struct kernel_world *world, const struct link *link)
{
	void *object = kernel_new(world, KERNEL_STRUCT_bpf_link);

	if (!object)
		return NULL;
	kernel_set(object, KERNEL_bpf_link_id, link->object.id);
	kernel_set(object, KERNEL_bpf_link_type, link->type);
	kernel_set(object, KERNEL_bpf_link_attach_type, link->attach_type);
	if (link->prog)
		kernel_hold(object, KERNEL_bpf_link_prog, make_prog(world, link->prog));
	return object;
}

static void *make_object(struct kernel_world *world, struct object *object)
{
	switch (object->kind) {
	case OBJECT_MAP: return make_map(world, map_of_object(object));
	case OBJECT_PROG: return make_prog(world, container_of(object, struct prog, object));
	case OBJECT_LINK: return make_link(world, link_of_object(object));
	case OBJECT_BTF:
	case OBJECT_PERF_EVENT:
	case OBJECT_STATS:
	case OBJECT_KINDS: break;
	}
	return NULL;
}

/* --- all of a kind --- */

static bool show_object(struct iterator *it, struct object *object)
{
	void *shown = make_object(world_of(it), object);
	bool goes_on = shown && iterator_show(it, ptr_to_u64(shown), 0, 0);

	if (!shown)
		it->error = -ENOMEM;
	kernel_put(shown);
	return goes_on;
}

static void walk_objects(struct iterator *it, enum object_kind kind)
{
	struct skep_engine *engine = it->call->engine;
	bool goes_on = true;
	u32 id = 0;

	while (goes_on && (id = object_next_id(engine, kind, id))) {
		struct object *object = object_by_id(engine, kind, id);

		if (object)
			goes_on = show_object(it, object);
		object_put(object);
	}
	if (goes_on)
		iterator_show(it, 0, 0, 0);
}

void iterator_walk_maps(struct iterator *it)
{
	walk_objects(it, OBJECT_MAP);
}

void iterator_walk_programs(struct iterator *it)
{
	walk_objects(it, OBJECT_PROG);
}

void iterator_walk_links(struct iterator *it)
{
	walk_objects(it, OBJECT_LINK);
}

/* --- elements of a map --- */

static bool has_elements(u32 type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY: return true;
	default: return false;
	}
}

int iterator_read_map(struct call *call, const union bpf_iter_link_info *info,
		      const struct prog *prog, struct iterator_scope *out)
{
	const u32 *end = prog->verified->buffer_end;
	int ret = 0;

	if (!info->map.map_fd)
		return call_fail(call, -EBADF, "an iterator over elements needs a map_fd");
	out->map = call_map(call, (int)info->map.map_fd, 0, &ret);
	if (!out->map)
		return ret;
	if (!has_elements(out->map->desc.type))
		return call_fail(call, -EINVAL, "a map of type %u has no elements to iterate",
				 out->map->desc.type);
	if (end[true] > out->map->desc.key_size || end[false] > map_user_value_size(out->map))
		return call_fail(call, -EACCES,
				 "the program uses %u bytes of keys and %u of values; the map "
				 "has %u and %u",
				 end[true], end[false], out->map->desc.key_size,
				 map_user_value_size(out->map));
	return 0;
}

void iterator_describe_map(const struct iterator_scope *scope, struct bpf_link_info *out)
{
	out->iter.map.map_id = scope->map->object.id;
}

struct elements {
	struct iterator *it;
	void *map;
};

static long show_element(void *cookie, void *key, void *value)
{
	struct elements *elements = cookie;
	const struct map *map = elements->it->scope->map;

	elements->it->lent[0] = (struct run_region){key, map->desc.key_size};
	elements->it->lent[1] = (struct run_region){value, map_user_value_size(map)};
	return !iterator_show(elements->it, ptr_to_u64(elements->map), ptr_to_u64(key),
			      ptr_to_u64(value));
}

/* The values of all CPUs, in a row: a copy. */
static bool show_copies(struct elements *elements, struct map *map)
{
	const u32 key_size = map->desc.key_size, value_size = map_user_value_size(map);
	u8 *bytes = calloc(2, round_up(key_size, 8) + (size_t)value_size);
	u8 *key = bytes, *next, *value;
	bool goes_on = bytes, is_first = true;

	if (!bytes) {
		elements->it->error = -ENOMEM;
		return false;
	}
	next = key + round_up(key_size, 8);
	value = next + round_up(key_size, 8);
	while (goes_on && !map_user_next_key(map, is_first ? NULL : key, next)) {
		is_first = false;
		memcpy(key, next, key_size);
		if (!map_user_lookup(map, key, value, 0))
			goes_on = !show_element(elements, key, value);
	}
	free(bytes);
	return goes_on;
}

void iterator_walk_elements(struct iterator *it)
{
	struct map *map = it->scope->map;
	struct elements elements = {it, make_map(world_of(it), map)};

	if (!elements.map)
		it->error = -ENOMEM;
	else if (map_desc_is_per_cpu(&map->desc))
		show_copies(&elements, map);
	else
		map_for_each(map, it->run.slot, show_element, &elements);
	if (!it->error)
		iterator_show(it, ptr_to_u64(elements.map), 0, 0);
	kernel_put(elements.map);
}
