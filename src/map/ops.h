/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a map type is: one table of operations. A NULL operation is one that Linux refuses for
 * the type; map.c knows the errno.
 */
#ifndef SKEP_MAP_OPS_H
#define SKEP_MAP_OPS_H

#include "map/map.h"
#include <errno.h>

/* Linux's internal "not supported", which bpf(2) lets out; <errno.h> has no name for it. */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

/* What a kernel allocation of one value may have; per-CPU memory has a lower limit. */
#define MAP_VALUE_MAX	  (4U << 20)
#define MAP_PER_CPU_MAX	  (32U << 10)

#define MAP_FLAGS_USER	  (BPF_F_RDONLY | BPF_F_WRONLY)
#define MAP_FLAGS_PROGRAM (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)
#define MAP_FLAGS_ACCESS  (MAP_FLAGS_USER | MAP_FLAGS_PROGRAM)

typedef long map_visit(void *cookie, void *key, void *value);

struct map_ops {
	size_t size;		 /* of the type's structure, which begins with a struct map */
	/* What user space asks waits for others: not in a read-side section. */
	bool waits;
	u32 flags_not_supported; /* answered with -ENOTSUPP instead of -EINVAL */

	/* May the map be created? May complete the description (devmap's flags). */
	int (*check)(struct map_desc *desc, struct skep_error *err);
	/* The type's rule for BTF, after the sizes were compared: 0 or a negative errno; NULL:
	 * the key must have a type. */
	int (*check_btf)(const struct map_desc *desc);
	int (*init)(struct map *map);
	/* Before done(): gives back up to `limit` of what is in the map; false: that is all. */
	bool (*done_some)(struct map *map, u32 limit);
	void (*done)(struct map *map); /* after a grace period */
	/* In a region: nobody else has the map, and its content may be anything. Whatever was
	 * under way ends, so that all is whole again; -EINVAL: it cannot be. NULL: maps of the
	 * type cannot be in a region. */
	int (*recover)(struct map *map);

	/* As a template of inner maps; NULL: cannot be one. */
	bool (*equal)(const struct map_desc *template, const struct map_desc *inner);

	map_lookup_op *lookup; /* init() may give the map better ones: map->lookup, ->update */
	/* The same where speculation must not use any index (desc.by_unprivileged); NULL: it
	 * has none. */
	map_lookup_op *lookup_guarded;
	map_update_op *update;
	int (*delete)(struct map *map, const void *key, u32 slot);
	int (*push)(struct map *map, const void *value, u64 flags);
	int (*pop)(struct map *map, void *value);
	int (*peek)(struct map *map, void *value);
	void *(*lookup_slot)(struct map *map, const void *key, u32 slot);
	/* Visits at most `limit` elements from the place on, which moves behind them, until one
	 * returns non-zero: how many it visited. */
	u32 (*walk)(struct map *map, struct map_cursor *at, u32 slot, u32 limit,
		    map_visit *visit, void *cookie);

	/* From user space, where it differs from the program's view. */
	int (*user_lookup)(struct map *map, const void *key, void *value, u64 flags);
	int (*user_update)(struct map *map, const void *key, const void *value, u64 flags);
	int (*user_delete)(struct map *map, const void *key);
	int (*user_lookup_and_delete)(struct map *map, const void *key, void *value, u64 flags);
	int (*next_key)(struct map *map, const void *key, void *next);
	int (*next_slot)(struct map *map, u32 *slot, void *key);
	/* `object` NULL: what an update with a good object would have answered, or 0. */
	int (*update_object)(struct map *map, const void *key, struct object *object,
			     u64 flags);
	void (*user_gone)(struct map *map);

	/* Of indexed maps: see map_rows(). */
	struct map_rows (*rows)(const struct map *map);

	bool (*owns)(struct map *map, const void *address, size_t size);
	int (*mmap)(struct map *map, void *address, size_t length, int prot, int flags,
		    u64 offset, void **out);
	bool (*readable)(const struct map *map);
	/* Does user space have a writable mapping? */
	bool (*has_writers)(struct map *map);
};

/* Types of the host (host.c), which the description names. */
extern const struct map_ops map_host;

/* The table of the row's name in catalog/maps.def: map_NAME. NULL: no such type. */
const struct map_ops *map_ops(u32 type);

/*
 * Steps of making a map, for maps that are in a region already: checks and the structure; the
 * memory; the end of a map that was never handed out.
 */
/* The description as the map keeps it: no BTF means no fields. */
struct map_desc map_desc_normal(const struct map_desc *desc);
int map_check(struct map_desc *desc, const struct map_ops *ops, const struct map *inner,
	      struct skep_error *err);
struct map *map_new_structure(const struct map_desc *desc, const struct map_ops *ops,
			      const struct map_world *world);
int map_prepare(struct map_desc *desc, const struct map_world *world, struct map **out,
		struct skep_error *err);
int map_take_memory(struct map *map, const struct map_world *world);
void map_drop(struct map *map);

/* Fills in `err` and returns `code`. */
int map_refuse(const struct map_desc *desc, struct skep_error *err, int code, const char *why);
/* An integer of `size` bytes without an offset, qualifiers aside. */
bool map_btf_is_int(const struct btf_view *btf, u32 type_id, u32 size);
/* check_btf() of the types that take no BTF. */
int map_btf_refused(const struct map_desc *desc);
/* Same type, sizes, flags and fields: what most types ask of an inner map. */
bool map_desc_equal(const struct map_desc *template, const struct map_desc *inner);

/* Whether the object is a map that may stand in this map of maps: 0 or -EINVAL. */
int map_check_inner(const struct map *map, const struct object *object);
/* BPF_NOEXIST and BPF_EXIST against what is there: 0, -EEXIST or -ENOENT. */
int map_check_presence(bool present, u64 flags);
/* What hash maps of all kinds check, and their secret. */
int map_hash_check(struct map_desc *desc, struct skep_error *err);
u64 map_hash_seed(const struct map_desc *desc);
/* get_next_key of everything that is indexed. */
int map_next_index(struct map *map, const void *key, void *next);

/* An index below `count`: where speculation went on with one that is not, it becomes 0. */
static inline u32 map_index_guarded(u32 index, u32 count)
{
	u64 wide = index;

	__asm__("" : "+r"(wide)); /* the compiler knows that it is below */
	return (u32)(wide & (u64)((s64)(wide - count) >> 63));
}

/* The answer of every update to flags it does not know: above BPF_EXIST (BPF_F_LOCK aside). */
static inline bool map_flags_bad(u64 flags)
{
	return (flags & ~(u64)BPF_F_LOCK) > BPF_EXIST;
}

#endif
