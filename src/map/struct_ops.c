/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/struct_ops.h"

#include "map/account.h"
#include "map/ops.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What a value begins with: struct bpf_struct_ops_common_value. */
struct common_value {
	u32 refcount, state;
};

/* enum bpf_struct_ops_state */
enum { STATE_INIT, STATE_IN_USE, STATE_TO_BE_FREE, STATE_READY };

#define CONGESTION_FLAGS 31U /* those of struct tcp_congestion_ops that programs may set */

struct ops_map {
	struct map map;
	pthread_mutex_t lock; /* all below */
	u32 state, links;
	u8 *value;	       /* as user space gave it; owned */
	struct object **progs; /* by member; NULL: none; owned references */
	u32 prog_count;
};

static struct ops_map *ops_of(struct map *map)
{
	return container_of(map, struct ops_map, map);
}

/* --- types --- */

static const struct btf_type *value_type(const struct map_desc *desc)
{
	return btf_type(desc->kernel, desc->vmlinux_value_type);
}

/* A structure of functions as Linux registers it, with what Linux keeps in front of it. */
static bool is_operations(const struct btf_view *kernel, const struct btf_type *type)
{
	static const char prefix[] = "bpf_struct_ops_";
	const char *name = btf_string(kernel, type->name_off);
	const struct btf_member *member = btf_members(type);

	return btf_kind(type) == BTF_KIND_STRUCT && btf_vlen(type) == 2 &&
	       !strncmp(name, prefix, strlen(prefix)) &&
	       !strcmp(btf_type_name(kernel, member[0].type), "bpf_struct_ops_common_value") &&
	       !strcmp(btf_type_name(kernel, member[1].type), name + strlen(prefix));
}

static int check(struct map_desc *desc, struct skep_error *err)
{
	const struct btf_type *type;

	if (desc->key_size != sizeof(u32) || desc->max_entries != 1 ||
	    !desc->vmlinux_value_type)
		return map_refuse(desc, err, -EINVAL, "one element, of a kernel structure");
	if (desc->flags & BPF_F_VTYPE_BTF_OBJ_FD)
		return map_refuse(desc, err, -EINVAL, "skep has no kernel modules");
	type = desc->kernel ? value_type(desc) : NULL;
	if (!type || !is_operations(desc->kernel, type))
		return map_refuse(desc, err, -ENOTSUPP,
				  "the kernel registers no such structure of functions");
	if (desc->value_size != type->size)
		return map_refuse(desc, err, -EINVAL, "value_size is not the structure's");
	return 0;
}

static u32 structure_id(const struct map_desc *desc)
{
	return btf_members(value_type(desc))[1].type;
}

static const struct btf_type *structure_type(const struct map_desc *desc)
{
	return btf_type(desc->kernel, btf_resolve(desc->kernel, structure_id(desc)));
}

static u32 structure_offset(const struct map_desc *desc)
{
	const struct btf_type *type = value_type(desc);

	return btf_member_bit_offset(type, &btf_members(type)[1]) / 8;
}

static u32 member_offset(const struct btf_type *type, u32 index)
{
	return btf_member_bit_offset(type, &btf_members(type)[index]) / 8;
}

static const char *member_name(const struct map_desc *desc, u32 index)
{
	return btf_string(desc->kernel, btf_members(structure_type(desc))[index].name_off);
}

/* What a pointer member points to; NULL: it is no pointer, or points to void. */
static const struct btf_type *member_target(const struct map_desc *desc, u32 index)
{
	const struct btf_type *pointer = btf_type(
		desc->kernel,
		btf_resolve(desc->kernel, btf_members(structure_type(desc))[index].type));

	if (!pointer || btf_kind(pointer) != BTF_KIND_PTR)
		return NULL;
	return btf_type(desc->kernel, btf_resolve(desc->kernel, pointer->type));
}

static bool is_congestion_control(const struct map_desc *desc)
{
	return !strcmp(btf_type_name(desc->kernel, structure_id(desc)), "tcp_congestion_ops");
}

/* --- life --- */

static int init(struct map *map)
{
	struct ops_map *ops = ops_of(map);
	const u32 count = btf_vlen(structure_type(&map->desc));
	const u64 bytes = map->desc.value_size + count * sizeof(*ops->progs);

	if (account_charge(map->account, bytes))
		return -ENOMEM;
	ops->prog_count = count;
	ops->value = calloc(1, map->desc.value_size);
	ops->progs = calloc(count, sizeof(*ops->progs));
	if (!ops->value || !ops->progs) {
		free(ops->value);
		free(ops->progs);
		account_uncharge(map->account, bytes);
		return -ENOMEM;
	}
	pthread_mutex_init(&ops->lock, NULL);
	return 0;
}

static void put_programs(struct ops_map *ops)
{
	for (u32 i = 0; i < ops->prog_count; i++) {
		object_put(ops->progs[i]);
		ops->progs[i] = NULL;
	}
}

static void done(struct map *map)
{
	struct ops_map *ops = ops_of(map);

	put_programs(ops);
	pthread_mutex_destroy(&ops->lock);
	account_uncharge(map->account,
			 map->desc.value_size + ops->prog_count * sizeof(*ops->progs));
	free(ops->value);
	free(ops->progs);
}

/* --- what a value may hold --- */

static bool is_zero(const u8 *from, u64 size)
{
	for (u64 i = 0; i < size; i++)
		if (from[i])
			return false;
	return true;
}

/* Between the members, and behind the last one. */
static bool has_zero_holes(const struct btf_view *kernel, const struct btf_type *type,
			   const u8 *data)
{
	u64 end = 0;

	for (u32 i = 0; i < btf_vlen(type); i++) {
		const u64 offset = member_offset(type, i);

		if (offset > end && !is_zero(data + end, offset - end))
			return false;
		end = offset + (u64)max(btf_size(kernel, btf_members(type)[i].type), (s64)0);
	}
	return end >= type->size || is_zero(data + end, type->size - end);
}

/* As the name of an object, and not empty. */
static int check_name(const u8 *name, u32 size)
{
	const u32 length = (u32)strnlen((const char *)name, size);

	if (!length || length == size)
		return -EINVAL;
	for (u32 i = 0; i < length; i++)
		if (!isalnum(name[i]) && name[i] != '_' && name[i] != '.')
			return -EINVAL;
	return 0;
}

/* The kernel's own check of the member: 1: it is good; 0: it has none. */
static int check_special(const struct map_desc *desc, u32 index, const u8 *at, u32 size)
{
	const char *name = member_name(desc, index);
	u32 flags;

	if (!is_congestion_control(desc))
		return 0;
	if (!strcmp(name, "name"))
		return check_name(at, size) ?: 1;
	if (strcmp(name, "flags"))
		return 0;
	memcpy(&flags, at, sizeof(flags));
	return flags & ~CONGESTION_FLAGS ? -EINVAL : 1;
}

/* A member that is no function. What subsystems other than congestion control want of theirs is
 * not known here. */
static int check_data(const struct map_desc *desc, u32 index, const u8 *at, u32 size)
{
	int ret = check_special(desc, index, at, size);

	if (ret)
		return min(ret, 0);
	return !is_congestion_control(desc) || is_zero(at, size) ? 0 : -EINVAL;
}

struct finder {
	struct_ops_find *find;
	void *cookie;
};

static int read_member(struct ops_map *ops, u32 index, const u8 *data,
		       const struct finder *finder)
{
	const struct map_desc *desc = &ops->map.desc;
	const struct btf_type *type = structure_type(desc),
			      *target = member_target(desc, index);
	const u8 *at = data + member_offset(type, index);
	u64 fd;

	if (target && btf_kind(target) == BTF_KIND_STRUCT &&
	    !strcmp(btf_string(desc->kernel, target->name_off), "module"))
		return is_zero(at, sizeof(void *)) ? 0 : -EINVAL;
	if (!target || btf_kind(target) != BTF_KIND_FUNC_PROTO)
		return check_data(desc, index, at,
				  (u32)btf_size(desc->kernel, btf_members(type)[index].type));
	memcpy(&fd, at, sizeof(fd));
	return finder->find(finder->cookie, (int)fd, structure_id(desc), index,
			    &ops->progs[index]);
}

static bool has_function(const struct ops_map *ops, const char *name)
{
	for (u32 i = 0; i < ops->prog_count; i++)
		if (!strcmp(member_name(&ops->map.desc, i), name))
			return ops->progs[i];
	return false;
}

/* What a congestion control cannot do without. */
static int validate(const struct ops_map *ops)
{
	if (!is_congestion_control(&ops->map.desc))
		return 0;
	return has_function(ops, "ssthresh") && has_function(ops, "undo_cwnd") &&
			       (has_function(ops, "cong_avoid") ||
				has_function(ops, "cong_control"))
		       ? 0
		       : -EINVAL;
}

/* User space reads the programs' ids in the place of their descriptors. */
static void show_ids(struct ops_map *ops)
{
	const struct btf_type *type = structure_type(&ops->map.desc);
	u8 *data = ops->value + structure_offset(&ops->map.desc);

	for (u32 i = 0; i < ops->prog_count; i++)
		if (ops->progs[i])
			memcpy(data + member_offset(type, i), &(u64){ops->progs[i]->id},
			       sizeof(u64));
}

static int store_locked(struct ops_map *ops, const u8 *value, const struct finder *finder)
{
	const struct map_desc *desc = &ops->map.desc;
	int err = 0;

	if (ops->state != STATE_INIT)
		return -EBUSY;
	for (u32 i = 0; i < ops->prog_count && !err; i++)
		err = read_member(ops, i, value + structure_offset(desc), finder);
	err = err ?: validate(ops);
	if (err) {
		put_programs(ops);
		return err;
	}
	memcpy(ops->value, value, desc->value_size);
	show_ids(ops);
	ops->state = desc->flags & BPF_F_LINK ? STATE_READY : STATE_IN_USE;
	return 0;
}

static u32 key_of(const void *key)
{
	u32 number;

	memcpy(&number, key, sizeof(number));
	return number;
}

int map_struct_ops_update(struct map *map, const void *key, const void *value, u64 flags,
			  struct_ops_find *find, void *cookie)
{
	const struct finder finder = {find, cookie};
	const struct map_desc *desc = &map->desc;
	struct ops_map *ops = ops_of(map);
	const struct common_value *common = value;
	int err;

	if (flags)
		return -EINVAL;
	if (key_of(key))
		return -E2BIG;
	if (!has_zero_holes(desc->kernel, value_type(desc), value) ||
	    !has_zero_holes(desc->kernel, structure_type(desc),
			    (const u8 *)value + structure_offset(desc)) ||
	    common->state || common->refcount)
		return -EINVAL;
	pthread_mutex_lock(&ops->lock);
	err = store_locked(ops, value, &finder);
	pthread_mutex_unlock(&ops->lock);
	return err;
}

/* --- the other operations --- */

/* Whatever the key is. */
static int user_delete(struct map *map, const void *key)
{
	struct ops_map *ops = ops_of(map);
	int err = -ENOENT;

	if (map->desc.flags & BPF_F_LINK)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&ops->lock);
	if (ops->state == STATE_IN_USE) {
		ops->state = STATE_TO_BE_FREE;
		err = 0;
	} else if (ops->state == STATE_TO_BE_FREE) {
		err = -EINPROGRESS;
	}
	pthread_mutex_unlock(&ops->lock);
	return err;
}

static int user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	struct ops_map *ops = ops_of(map);
	struct common_value *common = value;

	if (key_of(key))
		return -ENOENT;
	pthread_mutex_lock(&ops->lock);
	memcpy(value, ops->value, map->desc.value_size);
	if (ops->state != STATE_INIT) {
		common->state = ops->state;
		common->refcount = ops->links + (ops->state == STATE_IN_USE);
	}
	pthread_mutex_unlock(&ops->lock);
	return 0;
}

static int next_key(struct map *map, const void *key, void *next)
{
	if (key && !key_of(key))
		return -ENOENT;
	memset(next, 0, sizeof(u32));
	return 0;
}

bool map_struct_ops_is_ready(struct map *map)
{
	struct ops_map *ops;
	bool ready;

	if (map->desc.type != BPF_MAP_TYPE_STRUCT_OPS || !(map->desc.flags & BPF_F_LINK))
		return false;
	ops = ops_of(map);
	pthread_mutex_lock(&ops->lock);
	ready = ops->state == STATE_READY;
	pthread_mutex_unlock(&ops->lock);
	return ready;
}

/* Congestion controls keep their name. */
int map_struct_ops_may_replace(struct map *map, struct map *old)
{
	const struct map_desc *desc = &map->desc;
	u32 offset = structure_offset(desc);

	if (!is_congestion_control(desc))
		return -EOPNOTSUPP;
	if (desc->vmlinux_value_type != old->desc.vmlinux_value_type)
		return -EINVAL;
	for (u32 i = 0; i < ops_of(map)->prog_count; i++)
		if (!strcmp(member_name(desc, i), "name"))
			offset += member_offset(structure_type(desc), i);
	return strcmp((char *)ops_of(map)->value + offset, (char *)ops_of(old)->value + offset)
		       ? -EINVAL
		       : 0;
}

void map_struct_ops_count_links(struct map *map, int change)
{
	struct ops_map *ops = ops_of(map);

	pthread_mutex_lock(&ops->lock);
	ops->links += (u32)change;
	pthread_mutex_unlock(&ops->lock);
}

const struct map_ops map_struct_ops = {
	.size = sizeof(struct ops_map),
	.check = check,
	.init = init,
	.done = done,
	.user_lookup = user_lookup,
	.user_delete = user_delete,
	.next_key = next_key,
};
