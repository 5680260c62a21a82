/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/kernel_object.h"

#include "base/rcu.h"
#include "btf/fields.h"
#include "helper/run_context.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct place {
	u32 offset, size; /* size 0: this kernel has no such member */
};

struct kernel_world {
	const struct run_env *env;
	struct own_world *own;
	pthread_mutex_t lock;
	atomic_bool is_ready;
	struct own_type *types[KERNEL_STRUCTURES];
	struct place places[KERNEL_MEMBERS];
};

static const struct {
	const char *name;
	u32 bytes;
} structures[] = {
#define STRUCTURE(name, bytes) {#name, bytes},
#define MEMBER(structure, name, path)
#include "helper/kernel_members.def"
#undef STRUCTURE
#undef MEMBER
};

static const struct {
	enum kernel_structure structure;
	const char *path;
} members[] = {
#define STRUCTURE(name, bytes)
#define MEMBER(structure, name, path) {KERNEL_STRUCT_##structure, path},
#include "helper/kernel_members.def"
#undef STRUCTURE
#undef MEMBER
};

struct kernel_world *kernel_world_new(const struct run_env *env)
{
	struct kernel_world *world = calloc(1, sizeof(*world));

	if (!world)
		return NULL;
	world->env = env;
	world->own = own_world_new(env->checked);
	if (!world->own) {
		free(world);
		return NULL;
	}
	pthread_mutex_init(&world->lock, NULL);
	return world;
}

/* What an object holds ends a grace period later than the object. */
void kernel_world_free(struct kernel_world *world)
{
	if (!world)
		return;
	for (u64 before = UINT64_MAX, left;
	     (left = own_world_count(world->own)) && left < before; before = left)
		rcu_barrier();
	for (u32 i = 0; i < KERNEL_STRUCTURES; i++)
		own_type_put(world->types[i]);
	own_world_put(world->own);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

/* --- layouts --- */

/* Also in structures without a name, whose members count as those of the one around. */
static bool find_in(const struct btf_view *view, u32 structure, const char *name, size_t length,
		    u32 *type_id, u32 *offset)
{
	const struct btf_type *type = btf_type(view, structure);
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++, member++) {
		const char *found = btf_string(view, member->name_off);
		const u32 id = btf_resolve(view, member->type);
		const u32 kind = btf_kind(btf_type(view, id));
		const u32 at = btf_member_bit_offset(type, member) / 8;

		if (*found && !strncmp(found, name, length) && !found[length]) {
			*type_id = id;
			*offset += at;
			return true;
		}
		if (!*found && (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION) &&
		    find_in(view, id, name, length, type_id, offset)) {
			*offset += at;
			return true;
		}
	}
	return false;
}

static struct place find_place(const struct btf_view *view, u32 structure, const char *path)
{
	u32 offset = 0;
	s64 size;

	while (*path) {
		const u32 kind = btf_kind(btf_type(view, structure));
		const size_t length = strcspn(path, ".");
		u32 inside = 0;

		if ((kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION) ||
		    !find_in(view, structure, path, length, &structure, &inside))
			return (struct place){0};
		offset += inside;
		path += length + (path[length] == '.');
	}
	size = btf_size(view, structure);
	return (struct place){offset, size > 0 ? (u32)size : 0};
}

/* The references that an object holds are given back as those in a map's value are. */
static void held_fields(u32 hidden, struct btf_fields *out)
{
	*out = (struct btf_fields){BTF_FIELD_BIT(BTF_FIELD_KPTR), KERNEL_HELD, {{0}}};
	for (u32 i = 0; i < KERNEL_HELD; i++)
		out->field[i] = (struct btf_field){
			.kind = BTF_FIELD_KPTR,
			.offset = hidden + offsetof(struct kernel_hidden, held) +
				  i * sizeof(void *),
			.size = sizeof(void *),
		};
}

static struct own_type *make_type(const struct kernel_world *world, u32 size, u32 extra)
{
	const u32 hidden = round_up(size, 16);
	struct btf_fields fields;

	held_fields(hidden, &fields);
	return own_type_new(
		world->own,
		&(struct own_type_params){
			.size = hidden + sizeof(struct kernel_hidden) + extra,
			.hidden = hidden,
			.copies = 1,
			.count_offset = hidden + offsetof(struct kernel_hidden, references),
			.fields = &fields,
		});
}

static bool read_layouts(struct kernel_world *world)
{
	const struct btf_view *view =
		world->env->kernel_types ? world->env->kernel_types(world->env->engine) : NULL;
	u32 ids[KERNEL_STRUCTURES];
	bool complete = true;

	for (u32 i = 0; i < KERNEL_STRUCTURES; i++) {
		ids[i] = view ? btf_find(view, structures[i].name, BTF_KIND_STRUCT) : 0;
		if (!world->types[i])
			world->types[i] = make_type(world, ids[i] ? btf_size(view, ids[i]) : 0,
						    structures[i].bytes);
		complete = complete && world->types[i];
	}
	for (u32 i = 0; i < KERNEL_MEMBERS; i++)
		if (ids[members[i].structure])
			world->places[i] =
				find_place(view, ids[members[i].structure], members[i].path);
	return complete;
}

/* Acquire, and release: who sees the flag sees the layouts. */
static bool need_layouts(struct kernel_world *world)
{
	if (atomic_load_explicit(&world->is_ready, memory_order_acquire))
		return true;
	pthread_mutex_lock(&world->lock);
	if (!world->is_ready && read_layouts(world))
		atomic_store_explicit(&world->is_ready, true, memory_order_release);
	pthread_mutex_unlock(&world->lock);
	return world->is_ready;
}

/* --- objects --- */
void *kernel_new(struct kernel_world *world, enum kernel_structure structure)
{
	void *object = need_layouts(world) ? own_new(world->types[structure]) : NULL;

	if (object) {
		kernel_hidden(object)->structure = structure;
		kernel_hidden(object)->world = world;
	}
	return object;
}

bool kernel_get(void *object)
{
	return object && own_get(object);
}

void kernel_put(void *object)
{
	if (object)
		own_put(object);
}

/* --- members --- */
static u8 *member_of(const void *object, enum kernel_member member, u32 *size)
{
	const struct kernel_hidden *hidden = kernel_hidden((void *)object);
	const struct place *place = &hidden->world->places[member];

	*size = hidden->structure == members[member].structure ? place->size : 0;
	return (u8 *)object + place->offset;
}

void kernel_set_bytes(void *object, enum kernel_member member, const void *bytes, size_t size)
{
	u32 room;
	u8 *at = member_of(object, member, &room);

	memcpy(at, bytes, min(size, (size_t)room));
}

void kernel_set(void *object, enum kernel_member member, u64 value)
{
	const bool is_le = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	u32 size;
	u8 *at = member_of(object, member, &size);

	if (size <= sizeof(value))
		memcpy(at, (u8 *)&value + (is_le ? 0 : sizeof(value) - size), size);
}

void kernel_set_text(void *object, enum kernel_member member, const char *text)
{
	u32 size;
	u8 *at = member_of(object, member, &size);

	if (size)
		memcpy(at, text, strnlen(text, size - 1));
}

u64 kernel_value(const void *object, enum kernel_member member)
{
	const bool is_le = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	u64 value = 0;
	u32 size;
	const u8 *at = member_of(object, member, &size);

	size = min(size, (u32)sizeof(value));
	memcpy((u8 *)&value + (is_le ? 0 : sizeof(value) - size), at, size);
	return value;
}

void kernel_hold(void *object, enum kernel_member member, void *other)
{
	struct kernel_hidden *hidden = kernel_hidden(object);

	if (!other)
		return;
	hidden->held[hidden->held_cnt++] = other;
	kernel_set(object, member, ptr_to_u64(other));
}

void *kernel_around(struct kernel_world *world, enum kernel_member member, u64 address)
{
	if (!need_layouts(world) || !world->places[member].size)
		return NULL;
	return u64_to_ptr(address - world->places[member].offset);
}
