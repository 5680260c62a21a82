/* SPDX-License-Identifier: BSD-2-Clause */
/* OBJ_GET_INFO_BY_FD: what is known of an object, as Linux's bpf_*_info structures. */
#include "sys/info.h"
#include "hook/hook.h"
#include "map/map.h"
#include "sys/btf_object.h"
#include "sys/command.h"
#include "sys/extension.h"
#include "sys/iterator.h"
#include "sys/offload.h"
#include "sys/socket_link.h"
#include "sys/struct_ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define INFO_SIZE_MAX 4096 /* as Linux: a page */

/* The caller's structure may be longer than ours: the rest must be zero. It also carries
 * requests in: where arrays go, and how long they are. */
int info_read(struct call *call, void *info, u32 size, u32 *length)
{
	const union bpf_attr *attr = &call->attr.v;
	u32 given = attr->info.info_len;
	int ret = given > INFO_SIZE_MAX ? -E2BIG : 0;

	if (!ret && given > size)
		ret = user_check_zero(attr->info.info + size, given - size);
	*length = min(given, size);
	memset(info, 0, size);
	if (!ret)
		ret = user_read(info, attr->info.info, *length);
	return ret ? call_fail(call, ret, "info of %u bytes", given) : 0;
}

int info_write(struct call *call, const void *info, u32 length)
{
	if (user_write(call->attr.v.info.info, info, length) ||
	    call_put(call, v.info.info_len, length))
		return call_fail(call, -EFAULT, "info cannot be written");
	return 0;
}

int info_write_array(u64 to, u32 room, const void *from, u32 count, u32 size)
{
	if (!room || !count)
		return 0;
	return user_write(to, from, (size_t)min(room, count) * size);
}

/* Linux tells of the name space, too, which the interface's number is of. */
void info_fill_device(u32 ifindex, u32 *out_ifindex, __u64 *netns_dev, __u64 *netns_ino)
{
	struct stat status;

	*out_ifindex = ifindex;
	if (stat("/proc/self/ns/net", &status))
		return;
	*netns_dev = status.st_dev;
	*netns_ino = status.st_ino;
}

static int map_info(struct call *call, const struct map *map)
{
	const struct map_desc *desc = &map->desc;
	struct bpf_map_info info;
	u32 length;
	int ret = offload_check(call, map_offloaded(map))
			  ?: info_read(call, &info, sizeof(info), &length);

	if (ret)
		return ret;
	memset(&info, 0, sizeof(info));
	if (map_offloaded(map))
		info_fill_device(desc->ifindex, &info.ifindex, &info.netns_dev,
				 &info.netns_ino);
	info.type = desc->type;
	info.id = map->object.id;
	info.key_size = desc->key_size;
	info.value_size = desc->value_size;
	info.max_entries = desc->max_entries;
	info.map_flags = desc->flags;
	info.map_extra = desc->extra;
	memcpy(info.name, desc->name, sizeof(info.name));
	info.btf_id = desc->btf_id;
	info.btf_key_type_id = desc->key_type;
	info.btf_value_type_id = desc->value_type;
	info.btf_vmlinux_value_type_id = desc->vmlinux_value_type;
	return info_write(call, &info, length);
}

static int link_info(struct call *call, struct link *link)
{
	struct bpf_link_info info;
	u32 length, name_len;
	u64 name;
	int ret = info_read(call, &info, sizeof(info), &length);

	if (ret)
		return ret;
	name = info.iter.target_name;
	name_len = info.iter.target_name_len;
	memset(&info, 0, sizeof(info));
	info.type = link->type;
	info.id = link->object.id;
	if (link->prog)
		info.prog_id = link->prog->object.id;
	if (link->type == BPF_LINK_TYPE_STRUCT_OPS)
		info.xdp.ifindex = struct_ops_link_map(
			link); /* struct_ops.map_id, newer than the header */
	else if (link->type == BPF_LINK_TYPE_TRACING)
		extension_link_info(link, &info);
	else if (link->type == BPF_LINK_TYPE_ITER) {
		info.iter.target_name = name;
		info.iter.target_name_len = name_len;
		ret = iterator_link_info(call, link, &info);
	} else if (link->type == BPF_LINK_TYPE_SOCKMAP) {
		/* sockmap.map_id and sockmap.attach_type, newer than the header */
		info.netns.netns_ino = socket_link_map(link);
		info.netns.attach_type = link->attach_type;
	} else if (link->type == BPF_LINK_TYPE_CGROUP) {
		info.cgroup.cgroup_id = link->hook ? link->cgroup : 0;
		info.cgroup.attach_type = link->attach_type;
	} else
		info.xdp.ifindex =
			offload_is_link(link) ? offload_link_ifindex(link) : link->ifindex;
	/* tcx.ifindex and tcx.attach_type, newer than the header, are where these are */
	if (link->type == BPF_LINK_TYPE_TCX)
		info.netns.attach_type = link->attach_type;
	return ret ?: info_write(call, &info, length);
}

static int btf_info(struct call *call, const struct btf_object *btf)
{
	struct bpf_btf_info info;
	const char *name = btf->name ?: "";
	size_t size = btf->size;
	const void *data = btf->name ? btf->data : btf_view_data(btf->view, &size);
	u32 length;
	int ret = info_read(call, &info, sizeof(info), &length);

	if (ret)
		return ret;
	if (user_write(info.btf, data, min(info.btf_size, size)))
		return call_fail(call, -EFAULT, "the BTF cannot be written");
	if (info.name_len &&
	    (user_write(info.name, name, min(info.name_len - 1, (u32)strlen(name))) ||
	     user_write(info.name + min(info.name_len - 1, (u32)strlen(name)), "", 1)))
		return call_fail(call, -EFAULT, "the name cannot be written");
	info.btf_size = (u32)size;
	info.id = btf->object.id;
	info.kernel_btf = !!btf->name;
	info.name_len = (u32)strlen(name);
	return info_write(call, &info, length);
}

static int object_info(struct call *call, struct object *object)
{
	switch (object->kind) {
	case OBJECT_MAP: return map_info(call, map_of_object(object));
	case OBJECT_PROG: return prog_info(call, container_of(object, struct prog, object));
	case OBJECT_LINK: return link_info(call, link_of_object(object));
	case OBJECT_BTF: return btf_info(call, btf_of_object(object));
	case OBJECT_PERF_EVENT:
	case OBJECT_STATS:
	case OBJECT_KINDS: break;
	}
	return call_fail(call, -EINVAL, "descriptor %u has no info", call->attr.v.info.bpf_fd);
}

int command_obj_get_info_by_fd(struct call *call)
{
	int ret = 0;
	struct object *object =
		descriptor_any(call->engine, call->attr.v.info.bpf_fd, NULL, &ret);

	if (!object)
		return call_fail(call, ret == -EBADF ? -EBADFD : ret,
				 "descriptor %u is no object", call->attr.v.info.bpf_fd);
	ret = object_info(call, object);
	object_put(object);
	return ret;
}
