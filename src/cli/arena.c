/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas. Their globals are in a section of their own, which an old libbpf refuses: here it
 * gets the name of a data section, whose map is then set to be the arena itself. The arena is
 * made before libbpf would make it, because Linux wants its address to be known when a program
 * is loaded. The value of map_extra, an address, has 64 bits as an enumerator, where an old
 * libbpf only knows 32 bits.
 */
#include "catalog/uapi.h"
#include "cli/adapt.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_SECTION ".addr_space.1"
#define DATA_SECTION  ".data.arena_1"
#define EXTRAS_MAX    64 /* maps with a map_extra of 64 bits */

_Static_assert(sizeof(ARENA_SECTION) == sizeof(DATA_SECTION), "one replaces the other");

static struct {
	char map[64];
	u64 value;
} extras[EXTRAS_MAX];
static u32 extra_count;

/* --- the image --- */

static void rename_section(struct image *image)
{
	char *name =
		(char *)image_section_name(image, image_find_section(image, ARENA_SECTION));

	if (*name)
		memcpy(name, DATA_SECTION, strlen(DATA_SECTION));
}

static void rename_types(struct image *image)
{
	s32 id = btf__find_by_name_kind(image->btf, ARENA_SECTION, BTF_KIND_DATASEC);
	const char *name;

	if (id <= 0)
		return;
	name = btf__name_by_offset(image->btf, btf__type_by_id(image->btf, id)->name_off);
	memcpy(image_btf_place(image, name), DATA_SECTION, strlen(DATA_SECTION));
}

/* __ulong(map_extra, VALUE) is a member whose type is an enumeration of that value. */
static bool enumerated(const struct btf *btf, u32 type_id, u64 *out)
{
	const struct btf_type *type = btf__type_by_id(btf, type_id);

	if (!type || !btf_vlen(type) || (!btf_is_enum(type) && !btf_is_enum64(type)))
		return false;
	*out = btf_is_enum64(type) ? btf_enum64_value(btf_enum64(type))
				   : (u32)btf_enum(type)->val;
	return true;
}

/* libbpf gets to see "xtra", which it ignores, and the value is set later. */
static void take_extra(struct image *image, const char *map, const struct btf_member *member)
{
	static const char name[] = "map_extra";
	struct btf_member *place = image_btf_place(image, member);
	u64 value;

	if (extra_count == EXTRAS_MAX ||
	    strcmp(btf__str_by_offset(image->btf, member->name_off), name) ||
	    !enumerated(image->btf, member->type, &value))
		return;
	place->name_off += strlen("map_e");
	strncpy(extras[extra_count].map, map, sizeof(extras->map) - 1);
	extras[extra_count++].value = value;
}

static void take_extras(struct image *image)
{
	s32 id = btf__find_by_name_kind(image->btf, ".maps", BTF_KIND_DATASEC);
	const struct btf_type *maps = id > 0 ? btf__type_by_id(image->btf, id) : NULL;

	for (u32 i = 0; maps && i < btf_vlen(maps); i++) {
		const struct btf_type *map =
			btf__type_by_id(image->btf, btf_var_secinfos(maps)[i].type);
		s32 type_id = btf_is_var(map) ? btf__resolve_type(image->btf, map->type) : 0;
		const struct btf_type *type =
			type_id > 0 ? btf__type_by_id(image->btf, type_id) : NULL;

		for (u32 k = 0; type && btf_is_struct(type) && k < btf_vlen(type); k++)
			take_extra(image, btf__str_by_offset(image->btf, map->name_off),
				   &btf_members(type)[k]);
	}
}

bool arenas_find(struct image *image)
{
	extra_count = 0;
	rename_section(image);
	if (image->btf) {
		rename_types(image);
		take_extras(image);
	}
	return extra_count;
}

/* --- the object --- */

void arenas_set(struct bpf_object *object)
{
	for (u32 i = 0; i < extra_count; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, extras[i].map);

		if (map)
			bpf_map__set_map_extra(map, extras[i].value);
	}
}

/* As libbpf does: the whole range, where map_extra says or where there is room. */
static int give_address(const struct bpf_map *map, int fd, struct bpf_map *data)
{
	u64 wanted = bpf_map__map_extra(map);
	int flags = MAP_SHARED | (wanted ? MAP_FIXED_NOREPLACE : 0);
	void *base = mmap((void *)(uintptr_t)wanted,
			  (u64)bpf_map__max_entries(map) * sysconf(_SC_PAGESIZE),
			  PROT_READ | PROT_WRITE, flags, fd, 0);
	const void *globals;
	size_t size;

	if (base == MAP_FAILED)
		return -errno;
	globals = data ? bpf_map__initial_value(data, &size) : NULL;
	if (globals)
		memcpy(base, globals, size);
	return 0;
}

/* `data`: the map of the globals; NULL: none. */
static int make(struct bpf_map *map, struct bpf_map *data, bool on_linux)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = bpf_map__map_flags(map),
		    .map_extra = bpf_map__map_extra(map));
	int fd = bpf_map_create(bpf_map__type(map), bpf_map__name(map), 0, 0,
				bpf_map__max_entries(map), &opts);
	int err;

	if (fd < 0)
		return fd;
	err = on_linux ? give_address(map, fd, data) : 0;
	if (!err)
		err = bpf_map__reuse_fd(map, fd);
	if (!err && data)
		err = bpf_map__reuse_fd(data, fd);
	close(fd);
	return err;
}

int arenas_make(struct bpf_object *object, bool on_linux)
{
	struct bpf_map *data = bpf_object__find_map_by_name(object, DATA_SECTION), *map;
	int err = 0;

	bpf_object__for_each_map (map, object) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_ARENA || bpf_map__is_internal(map) ||
		    !bpf_map__autocreate(map))
			continue;
		err = make(map, data, on_linux);
		if (err)
			break;
		data = NULL;
	}
	return err;
}
