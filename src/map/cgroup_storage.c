/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The old local storage of cgroups: its values come with programs that are attached to a cgroup
 * (src/cgroup), and stay as long as the map. Those of a test run are the run's own (src/run).
 */
#include "map/account.h"
#include "map/cgroup.h"
#include "map/ops.h"
#include "map/value.h"

#include <stdlib.h>

#define VALUE_MAX   65407 /* 64 KiB less what Linux keeps beside a value */
#define KEY_SIZE    sizeof(struct bpf_cgroup_storage_key)
#define ID_KEY_SIZE sizeof(u64)

struct group_value {
	struct cds_list_head list;	   /* the newest first, as Linux; readers use RCU */
	struct bpf_cgroup_storage_key key; /* attach_type 0 where the map's keys have none */
	size_t bytes;
	_Alignas(8) u8 memory[]; /* one value, or one a slot */
};

struct group_storage {
	struct map map;	      /* first */
	pthread_mutex_t lock; /* of the list's ends, and of who writes values from outside */
	struct cds_list_head values;
};

static struct group_storage *storage_of(struct map *map)
{
	return container_of(map, struct group_storage, map);
}

static bool is_per_cpu(const struct map *map)
{
	return map_desc_is_per_cpu(&map->desc);
}

static int storage_check(struct map_desc *desc, struct skep_error *err)
{
	u32 limit = map_desc_is_per_cpu(desc) ? MAP_PER_CPU_MAX : VALUE_MAX;

	if ((desc->key_size != KEY_SIZE && desc->key_size != ID_KEY_SIZE) || !desc->value_size)
		return map_refuse(desc, err, -EINVAL, "keys name a cgroup, with 8 or 16 bytes");
	if (desc->value_size > limit)
		return map_refuse(desc, err, -E2BIG, "values that are too large");
	if (desc->max_entries)
		return map_refuse(desc, err, -EINVAL, "max_entries is not 0");
	return 0;
}

static bool is_int_member(const struct map_desc *desc, const struct btf_type *type, u32 index,
			  u32 bit_offset, u32 size)
{
	const struct btf_member *member = &btf_members(type)[index];

	return btf_member_bit_offset(type, member) == bit_offset &&
	       !btf_member_bits(type, member) && map_btf_is_int(desc->btf, member->type, size);
}

/* struct bpf_cgroup_storage_key, or the id of a cgroup. */
static int storage_check_btf(const struct map_desc *desc)
{
	const struct btf_type *key =
		btf_type(desc->btf, btf_resolve(desc->btf, desc->key_type));

	if (desc->key_size == ID_KEY_SIZE)
		return map_btf_is_int(desc->btf, desc->key_type, sizeof(u64)) ? 0 : -EINVAL;
	if (!desc->key_type || !key || btf_kind(key) != BTF_KIND_STRUCT || btf_vlen(key) < 2)
		return -EINVAL;
	return is_int_member(desc, key, 0, 0, sizeof(u64)) &&
			       is_int_member(desc, key, 1, 64, sizeof(u32))
		       ? 0
		       : -EINVAL;
}

static int storage_init(struct map *map)
{
	pthread_mutex_init(&storage_of(map)->lock, NULL);
	CDS_INIT_LIST_HEAD(&storage_of(map)->values);
	return 0;
}

static void storage_done(struct map *map)
{
	struct group_value *value, *next;

	cds_list_for_each_entry_safe (value, next, &storage_of(map)->values, list) {
		account_uncharge(map->account, value->bytes);
		free(value);
	}
	pthread_mutex_destroy(&storage_of(map)->lock);
}

/* --- values --- */

static struct bpf_cgroup_storage_key key_of(const struct map *map, u64 cgroup, u32 attach_type)
{
	return (struct bpf_cgroup_storage_key){
		.cgroup_inode_id = cgroup,
		.attach_type = map->desc.key_size == KEY_SIZE ? attach_type : 0};
}

static struct bpf_cgroup_storage_key key_at(const struct map *map, const void *at)
{
	struct bpf_cgroup_storage_key key = {};

	memcpy(&key, at, map->desc.key_size);
	return key_of(map, key.cgroup_inode_id, key.attach_type);
}

/* In a read-side section or with the lock held. */
static struct group_value *find(struct map *map, const struct bpf_cgroup_storage_key *key)
{
	struct group_value *value;

	cds_list_for_each_entry_rcu (value, &storage_of(map)->values, list)
		if (value->key.cgroup_inode_id == key->cgroup_inode_id &&
		    value->key.attach_type == key->attach_type)
			return value;
	return NULL;
}

static size_t stride_of(const struct map *map)
{
	return round_up((size_t)map->desc.value_size, (size_t)8);
}

static struct group_value *new_value(struct map *map, const struct bpf_cgroup_storage_key *key)
{
	const size_t bytes = sizeof(struct group_value) +
			     stride_of(map) * (is_per_cpu(map) ? map->slots : 1);
	struct group_value *value = calloc(1, bytes);

	if (!value || account_charge(map->account, bytes)) {
		free(value);
		return NULL;
	}
	value->key = *key;
	value->bytes = bytes;
	cds_list_add_rcu(&value->list, &storage_of(map)->values);
	return value;
}

void *map_cgroup_value(struct map *map, u64 cgroup, u32 attach_type, u32 slot)
{
	const struct bpf_cgroup_storage_key key = key_of(map, cgroup, attach_type);
	struct group_value *value = find(map, &key);

	if (!value) {
		pthread_mutex_lock(&storage_of(map)->lock);
		value = find(map, &key) ?: new_value(map, &key);
		pthread_mutex_unlock(&storage_of(map)->lock);
	}
	if (!value)
		return NULL;
	return value->memory + (is_per_cpu(map) ? slot * stride_of(map) : 0);
}

/* --- from user space --- */

static int storage_lookup(struct map *map, const void *at, void *to, u64 flags)
{
	const struct bpf_cgroup_storage_key key = key_at(map, at);
	const struct group_value *value = find(map, &key);

	if (!value)
		return -ENOENT;
	for (u32 slot = 0; slot < (is_per_cpu(map) ? map->slots : 1); slot++)
		value_copy((u8 *)to + slot * stride_of(map),
			   value->memory + slot * stride_of(map), map->desc.value_size);
	return 0;
}

static int storage_update(struct map *map, const void *at, const void *from, u64 flags)
{
	const struct bpf_cgroup_storage_key key = key_at(map, at);
	struct group_value *value;

	if (flags & ~(u64)(BPF_F_LOCK | BPF_EXIST))
		return -EINVAL;
	value = find(map, &key);
	if (!value)
		return -ENOENT;
	pthread_mutex_lock(&storage_of(map)->lock);
	for (u32 slot = 0; slot < (is_per_cpu(map) ? map->slots : 1); slot++)
		value_copy(value->memory + slot * stride_of(map),
			   (const u8 *)from + slot * stride_of(map), map->desc.value_size);
	pthread_mutex_unlock(&storage_of(map)->lock);
	return 0;
}

static int storage_delete(struct map *map, const void *key)
{
	return -EINVAL;
}

static int storage_next_key(struct map *map, const void *at, void *next)
{
	const struct bpf_cgroup_storage_key key =
		at ? key_at(map, at) : (struct bpf_cgroup_storage_key){};
	struct cds_list_head *values = &storage_of(map)->values, *place = values;

	if (at) {
		struct group_value *value = find(map, &key);

		if (!value)
			return -ENOENT;
		place = &value->list;
	}
	place = rcu_dereference(place->next);
	if (place == values)
		return -ENOENT;
	memcpy(next, &cds_list_entry(place, struct group_value, list)->key, map->desc.key_size);
	return 0;
}

/* What a program was given. */
static bool storage_owns(struct map *map, const void *address, size_t size)
{
	const u8 *at = address;
	const struct group_value *value;

	cds_list_for_each_entry_rcu (value, &storage_of(map)->values, list)
		if (at >= value->memory && at + size <= (const u8 *)value + value->bytes)
			return true;
	return false;
}

#define CGROUP_STORAGE                                                                      \
	{                                                                                   \
		.size = sizeof(struct group_storage), .check = storage_check,               \
		.check_btf = storage_check_btf, .init = storage_init, .done = storage_done, \
		.user_lookup = storage_lookup, .user_update = storage_update,               \
		.user_delete = storage_delete, .next_key = storage_next_key,                \
		.owns = storage_owns                                                        \
	}

const struct map_ops map_cgroup_storage = CGROUP_STORAGE;
const struct map_ops map_percpu_cgroup_storage = CGROUP_STORAGE;
