/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/extension.h"
#include "hook/extension_link.h"
#include "map/map.h"
#include "sys/btf_object.h"
#include "sys/prog_details.h"
#include "verify/extension.h"

#include <errno.h>

static const struct btf_view *types_of(const struct prog *prog)
{
	return prog->btf ? btf_of_object(prog->btf)->view : NULL;
}

struct verify_target prog_as_target(const struct prog *prog)
{
	const struct prog_details *details = prog_details(prog);

	return (struct verify_target){
		.verified = prog->verified,
		.btf = types_of(prog),
		.func_info = details->func_info,
		.func_info_cnt = details->func_info_cnt,
		.attach_btf_id = prog->attach_btf_id,
	};
}

/* --- the function that is replaced --- */

static struct extension as_extension(const struct prog *prog)
{
	const struct prog_details *details = prog_details(prog);
	const struct subprog *own = &prog->verified->subprogs[0];

	return (struct extension){
		.btf = types_of(prog),
		.func = details->func_info_cnt ? details->func_info[0].type_id : 0,
		.changes_packet = own->changes_packet,
		.sleeps = own->sleeps,
	};
}

/* A context of another kind would be taken for its own. */
static bool is_alike(const struct prog *prog, const struct prog *target)
{
	return prog->verified->type == target->verified->type &&
	       prog_details(prog)->target_attach_type == target->attach_type;
}

static int find_place(struct call *call, const struct prog *prog, struct extension_place *place)
{
	const struct extension extension = as_extension(prog);
	const struct verify_target target = prog_as_target(place->prog);
	const struct report to = {.err = call->err};
	int ret = extension_check(&to, &extension, &target, place->btf_id, &place->subprog);

	if (ret || is_alike(prog, place->prog))
		return ret;
	return call_fail(call, -EINVAL, "the target is of another kind than that of the load");
}

/* The target that is named, or that of the load: a reference in place->prog. */
static int get_target(struct call *call, struct prog *prog, int target_fd, u32 btf_id,
		      struct extension_place *place)
{
	int ret = 0;

	if (!target_fd != !btf_id)
		return call_fail(call, -EINVAL, "target_fd %d, target_btf_id %u: both or none",
				 target_fd, btf_id);
	place->btf_id = btf_id ?: prog->attach_btf_id;
	place->prog =
		target_fd ? call_prog_to_run(call, target_fd, &ret) : extension_target(prog);
	if (place->prog || ret)
		return ret;
	return call_fail(call, -EINVAL,
			 "the program was attached before: target_fd and target_btf_id are "
			 "needed");
}

/* --- prog arrays --- */

static bool is_in_map(const struct prog *prog, struct map *map)
{
	bool found = false;

	for (u32 i = 0; i < map->desc.max_entries && !found; i++)
		found = map_prog_at(map, i) == &prog->object;
	return found;
}

/* Attaching is rare: only then the arrays are looked through. */
static bool is_in_prog_array(struct skep_engine *engine, const struct prog *prog)
{
	bool found = false;
	u32 id = 0;

	while (!found && (id = object_next_id(engine, OBJECT_MAP, id))) {
		struct object *object = object_by_id(engine, OBJECT_MAP, id);

		if (!object)
			continue;
		if (map_of_object(object)->desc.type == BPF_MAP_TYPE_PROG_ARRAY)
			found = is_in_map(prog, map_of_object(object));
		object_put(object);
	}
	return found;
}

int extension_prove_member(const struct prog *prog)
{
	if (prog->type == BPF_PROG_TYPE_EXT)
		return -EINVAL;
	return atomic_load_explicit(&prog->is_extended, memory_order_relaxed) ? -EBUSY : 0;
}

/* --- links --- */

static int attach(struct call *call, struct prog *prog, const struct extension_place *place,
		  struct link **out)
{
	int ret;

	extension_lock();
	if (is_in_prog_array(call->engine, place->prog))
		ret = call_fail(call, -EBUSY,
				"the target is in a prog array: tail calls could never end");
	else
		ret = extension_link_new(prog, place, out);
	extension_unlock();
	return ret;
}

int extension_attach(struct call *call, struct prog *prog, int target_fd, u32 btf_id,
		     struct link **out)
{
	struct extension_place place = {0};
	int ret = get_target(call, prog, target_fd, btf_id, &place);

	if (ret)
		return ret;
	ret = find_place(call, prog, &place);
	if (!ret)
		ret = attach(call, prog, &place, out);
	object_put(&place.prog->object);
	return ret;
}

void extension_link_info(const struct link *link, struct bpf_link_info *info)
{
	const struct extension_place *place = extension_link_place(link);

	info->tracing.attach_type = link->attach_type;
	info->tracing.target_obj_id = place->prog->object.id;
	info->tracing.target_btf_id = place->btf_id;
}
