/* SPDX-License-Identifier: BSD-2-Clause */
/* MAP_CREATE: what concerns names, rights and other objects; sizes and flags are the map's. */
#include "base/slot.h"
#include "btf/fields.h"
#include "catalog/map_type.h"
#include "map/map.h"
#include "sys/btf_object.h"
#include "sys/command.h"
#include "sys/offload.h"

#include <errno.h>
#include <string.h>

static int check_attr(struct call *call, u32 *mode)
{
	const union bpf_attr *attr = &call->attr.v;

	if (attr->map_flags & ATTR_TOKEN_FD)
		return call_fail(call, -EINVAL, "skep has no BPF tokens");
	if (attr->btf_vmlinux_value_type_id &&
	    (attr->map_type != BPF_MAP_TYPE_STRUCT_OPS || attr->btf_key_type_id ||
	     attr->btf_value_type_id))
		return call_fail(call, -EINVAL, "a kernel type as value is for struct_ops");
	if (attr->btf_key_type_id && !attr->btf_value_type_id)
		return call_fail(call, -EINVAL, "the key has a BTF type, the value none");
	if (!descriptor_mode_of_flags(attr->map_flags & (BPF_F_RDONLY | BPF_F_WRONLY), mode))
		return call_fail(call, -EINVAL, "both read-only and write-only");
	return 0;
}

static int check_rights(struct call *call)
{
	const struct map_type_row *row = map_type_row(call->attr.v.map_type);

	if (!row || engine_may(call->engine, row->rights))
		return 0;
	return call_fail(call, -EPERM, "a map of type %s needs CAP_%s", row->name,
			 row->rights & SKEP_RIGHT_BPF ? "BPF" : "NET_ADMIN");
}

/* The BTF of the map as a reference; NULL and 0 when it names no type. */
static int find_btf(struct call *call, struct object **out)
{
	const union bpf_attr *attr = &call->attr.v;
	int ret = 0;

	*out = NULL;
	if (attr->btf_key_type_id || attr->btf_value_type_id ||
	    attr->btf_vmlinux_value_type_id) {
		*out = descriptor_object(call->engine, attr->btf_fd, OBJECT_BTF, NULL, &ret);
		if (*out && btf_of_object(*out)->name) {
			object_put(*out);
			*out = NULL;
			ret = -EACCES;
		}
		if (!*out)
			call_fail(call, ret, "btf_fd %u is no BTF that was loaded",
				  attr->btf_fd);
	}
	return ret;
}

/* The fields of a value with a meaning of their own; types that Linux cannot parse have none.
 */
static struct btf_fields find_fields(struct call *call, const struct btf_view *btf,
				     u32 value_type)
{
	/* These are of objects that programs allocate, not of map values. */
	const u32 nodes = BTF_FIELD_BIT(BTF_FIELD_LIST_NODE) | BTF_FIELD_BIT(BTF_FIELD_RB_NODE);
	struct btf_fields fields = {};

	if (btf_find_fields(btf, value_type, ~nodes, &fields))
		return (struct btf_fields){};
	if (fields.kinds & BTF_FIELDS_POINTERS)
		btf_fields_bind(&fields, kernel_btf_view(&call->engine->kernel_btf));
	return fields;
}

static void describe(struct call *call, struct object *btf, struct map_desc *desc)
{
	const union bpf_attr *attr = &call->attr.v;

	*desc = (struct map_desc){
		.type = attr->map_type,
		.key_size = attr->key_size,
		.value_size = attr->value_size,
		.max_entries = attr->max_entries,
		.flags = attr->map_flags,
		.extra = attr->map_extra,
		.ifindex = attr->map_ifindex,
		.numa_node = attr->numa_node,
		.vmlinux_value_type = attr->btf_vmlinux_value_type_id,
	};
	if (!btf)
		return;
	desc->btf = btf_of_object(btf)->view;
	desc->btf_id = btf->id;
	desc->key_type = attr->btf_key_type_id;
	desc->value_type = attr->btf_value_type_id;
	desc->fields = find_fields(call, desc->btf, desc->value_type);
}

static bool holds_maps(u32 type)
{
	return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

static int create(struct call *call, struct object *btf, struct map **out)
{
	const union bpf_attr *attr = &call->attr.v;
	const struct map_world world = engine_world(call->engine);
	struct map *inner = NULL;
	struct map_desc desc;
	int ret;

	describe(call, btf, &desc);
	desc.by_unprivileged = !engine_may(call->engine, SKEP_RIGHT_PERFMON);
	desc.host = host_map_type(hosted_host(&call->engine->hosted), desc.type);
	desc.host_cookie = call->engine->hosted.host.cookie;
	if (attr->btf_vmlinux_value_type_id)
		desc.kernel = kernel_btf_view(&call->engine->kernel_btf);
	ret = call_name(call, attr->map_name, desc.name);
	if (ret >= 0 && holds_maps(attr->map_type))
		inner = call_map(call, attr->inner_map_fd, 0, &ret);
	if (ret < 0)
		return ret;
	ret = attr->map_ifindex ? offload_map(call, &desc, &world, out)
				: map_make(&desc, inner, &world, out, call->err);
	if (inner)
		object_put(&inner->object);
	if (ret)
		return ret;
	if (btf)
		(*out)->btf = object_get(btf);
	return 0;
}

int command_map_create(struct call *call)
{
	struct object *btf;
	struct map *map;
	u32 mode;
	int ret = check_attr(call, &mode);

	if (!ret)
		ret = check_rights(call);
	if (!ret)
		ret = find_btf(call, &btf);
	if (ret)
		return ret;
	ret = create(call, btf, &map);
	if (ret == -ENOMEM || ret == -ENOSPC) {
		engine_settle(call->engine);
		error_clear(call->err);
		ret = create(call, btf, &map);
	}
	object_put(btf);
	if (ret)
		return ret;
	descriptors_reap(call->engine);
	return call_hand_out(call, &map->object, mode);
}
