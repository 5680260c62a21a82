/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps. One file per family of types behind `struct map_ops`; the functions here do what all
 * types share (flags, sizes, freeze, access rights) and then call the type's operation.
 *
 * Threads: everything may be called from any thread. Look-ups run inside an RCU read-side
 * section and never lock; a pointer that a look-up returned is valid until that section ends.
 * Updates lock at most one bucket. Per-CPU values are reached with the slot that the caller
 * owns.
 */
#ifndef SKEP_MAP_MAP_H
#define SKEP_MAP_MAP_H

#include "base/object.h"
#include "base/rcu.h"
#include "catalog/map_desc.h"
#include "map/reaper.h"
#include <skep/error.h>

struct account;
struct extent;
struct shared;
struct budget;
struct socket_hook;
struct map_ops;
struct map;
struct owners;

/* `slot` of a thread that owns none. */
#define SLOT_NONE UINT32_MAX

/* Where a walk over a map's elements is; the type knows what it means; zeros: the start. */
struct map_cursor {
	u32 at[3];
};

typedef void *map_lookup_op(struct map *map, const void *key, u32 slot);
typedef int map_update_op(struct map *map, const void *key, const void *value, u64 flags,
			  u32 slot);

struct map {
	struct object object; /* first: an object of kind OBJECT_MAP */
	struct map_desc desc;
	const struct map_ops *ops;
	/* What programs call, for the type and this map's sizes; NULL: not for the type. */
	map_lookup_op *lookup;
	map_update_op *update;
	u32 slots;		  /* number of cpu slots of the engine */
	struct account *account;  /* of its memory; reference */
	struct extent *extent;	  /* of a map in a region; owned; NULL: private */
	struct object *btf;	  /* keeps desc.btf alive; NULL; owned */
	struct map_desc inner;	  /* map of maps: what desc.inner points to */
	struct object *inner_btf; /* keeps inner.btf alive; NULL; owned */
	struct owners *owners;	  /* the engine's, which outlive its maps: of local storage */
	struct socket_hook *hook; /* the same of maps of sockets (map/socket.h); NULL: none */
	/* Behind the values of an array with BPF_F_MMAPABLE, which user space may map from
	 * offset 0; owned; -1: none. */
	int memfd;
	/* Prog arrays: what kind of programs they take, set by the first; 0: none yet
	 * (src/sys). */
	atomic_ullong owner;
	atomic_ullong owner_storage; /* the same of their cgroup storage */
	struct rcu_head rcu;
	/* Where the end of a large map is (end.c); `reaper` NULL: it has no steps. */
	struct reaper *reaper; /* reference */
	struct {
		struct chore chore;
		struct map_cursor at;
		u32 slot, stage;
	} end;
};

static inline struct map *map_of_object(struct object *object)
{
	return container_of(object, struct map, object);
}

static inline struct map *map_of_desc(const struct map_desc *desc)
{
	return (struct map *)container_of(desc, struct map, desc);
}

/* Where a map is made; owners outlive the map. */
struct map_world {
	u32 slots;
	struct budget *budget;	  /* NULL: no limit */
	struct owners *owners;	  /* of local storage */
	struct socket_hook *hook; /* who drives the sockets of maps; NULL: nobody */
	struct reaper *reaper;	  /* frees large maps; NULL: they are freed at once */
	struct shared *shared;	  /* the region that maps are made in; NULL: private */
	/* With `shared`: what cannot be in a region is private, instead of refused. */
	bool private_rest;
};

/*
 * Creates a map from a description whose type, sizes, flags and BTF are filled in. Checks all
 * that Linux checks, with its errno. `inner`: template for a map of maps (copied; no reference
 * is kept). Fields are as Linux finds them in the value's BTF; without BTF there are none.
 * The caller then sets map->btf when the description has BTF.
 */
int map_make(const struct map_desc *desc, struct map *inner, const struct map_world *world,
	     struct map **out, struct skep_error *err);
struct device;
/* The same at a device, for whose programs it is: here is no more than a handle. Types and
 * flags as Linux's offload has them, errors as the device says. */
int map_make_offloaded(const struct map_desc *desc, struct device *device,
		       const struct map_world *world, struct map **out, struct skep_error *err);
/* The device that has the map, and what it calls it; NULL: it is here. */
const struct device_handle *map_offloaded(const struct map *map);
/* The same in a world of slots alone. */
int map_new(const struct map_desc *desc, struct map *inner, u32 slots, struct map **out,
	    struct skep_error *err);
/*
 * Bytes of the map's memory. A map takes what it may need for max_entries when it is made, and
 * touches it when it is used; tries, local storage, and what overflows in hash maps, grow.
 */
u64 map_bytes(const struct map *map);

/* --- for compilers, which do themselves what a look-up does --- */

/* Where the values are of a map whose 4-byte keys are indices: they never move. */
struct map_rows {
	u8 *values;
	u64 stride;	 /* from one value to the next */
	u64 slot_stride; /* from one slot's values to the next's; 0: all slots have the same */
	u32 count;
};

/* False: it is no such map, or speculation must be kept from using any index. */
bool map_rows(const struct map *map, struct map_rows *out);

/* --- from programs (inside a read-side section, on the slot given) --- */
void *map_lookup(struct map *map, const void *key, u32 slot);
long map_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot);
long map_delete(struct map *map, const void *key, u32 slot);
long map_push(struct map *map, const void *value, u64 flags);
long map_pop(struct map *map, void *value);
long map_peek(struct map *map, void *value);
/* map_lookup_percpu_elem: NULL for a slot that does not exist. */
void *map_lookup_slot(struct map *map, const void *key, u32 slot);
/* Calls `call(cookie, key, value)` for each element until it returns non-zero; the number of
 * calls. */
long map_for_each(struct map *map, u32 slot, long (*call)(void *cookie, void *key, void *value),
		  void *cookie);

/*
 * Ring buffers, with the errno and flags of Linux's helpers. A reserved record of `size` bytes
 * is the caller's until it is committed or discarded, by the same slot; its header says which
 * map it is of.
 */
long map_ringbuf_output(struct map *map, const void *data, u64 size, u64 flags, u32 slot);
void *map_ringbuf_reserve(struct map *map, u64 size, u64 flags, u32 slot); /* NULL: no room */
void map_ringbuf_commit(void *record, u64 flags, bool discard, u32 slot);
u64 map_ringbuf_query(struct map *map, u64 flags);

/* User ring buffers: calls `take` for each record until it returns non-zero, with the errno and
 * flags of Linux's helper; the number of calls. -EBUSY: another thread, or the caller of this
 * one, is at it. */
typedef bool map_take(void *cookie, void *record, u32 size);
long map_user_ringbuf_drain(struct map *map, map_take *take, void *cookie, u64 flags);

/*
 * A PERF_RECORD_SAMPLE with raw data, `data` then `more`, into the perf buffer that `flags`
 * names: BPF_F_INDEX_MASK an index, BPF_F_CURRENT_CPU: `slot`. The flags above the index are
 * the caller's and already taken off. -E2BIG: no such index; -ENOENT: nothing there;
 * -EOPNOTSUPP: an event of another slot; -ENOSPC: the buffer is full (the loss is counted).
 */
long map_perf_output(struct map *map, u64 flags, u32 slot, const void *data, u64 size,
		     const void *more, u64 more_size);

/* --- from user space: values are map_user_value_size() bytes (per-CPU: 8-aligned, every slot)
 * --- */
u32 map_user_value_size(const struct map *map);
int map_user_lookup(struct map *map, const void *key, void *value, u64 flags);
int map_user_update(struct map *map, const void *key, const void *value, u64 flags);
int map_user_delete(struct map *map, const void *key);
int map_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags);
/* `key` NULL: the first. -ENOENT after the last. `next` is not the memory of `key`. */
int map_user_next_key(struct map *map, const void *key, void *next);
/*
 * Hash maps, for batches: an element stays in its slot, and slots have numbers. The key of the
 * first element in or behind *slot, whose number *slot becomes. -ENOENT: there is none further;
 * -ENOTSUPP: the map has no slots.
 */
int map_user_next_slot(struct map *map, u32 *slot, void *key);
int map_freeze(struct map *map);

/* Timers and work in the map's values end. */
void map_cancel(struct map *map);

/* The last file descriptor and pin of the map are gone: a prog array is emptied, so that
 * programs that hold themselves through it can go. */
void map_user_gone(struct map *map);

/*
 * Maps whose values are file descriptors (prog array, perf event array, map of maps): the
 * caller resolved the fd and checked that the object may be there. The map takes its own
 * reference. `object` NULL, when the fd was none: what Linux answers before it looks at the
 * fd, or 0. -EINVAL: wrong kind of object.
 */
int map_user_update_object(struct map *map, const void *key, struct object *object, u64 flags);
/* Whether map_user_update() of this map takes file descriptors, that is, an object. */
bool map_holds_objects(const struct map *map);

/* --- prog arrays and perf event arrays (read-side section) --- */
/* The object at `index`, NULL when empty or out of range. */
struct object *map_object_at(struct map *map, u64 index);
/* The same for prog arrays. */
struct object *map_prog_at(struct map *map, u64 index);

/* Where a prog array has them, for machine code: NULL where there is none. */
struct map_progs {
	_Atomic(struct object *) *objects;
	u32 count;
};

/* False: it is no prog array. */
bool map_progs(const struct map *map, struct map_progs *out);

/* --- memory that user space can mmap: arrays with BPF_F_MMAPABLE, ring buffers --- */
/* mmap(2) of the map's file descriptor: 0 and the address, or a negative errno. */
int map_mmap(struct map *map, void *address, size_t length, int prot, int flags, u64 offset,
	     void **out);

/*
 * What poll() of the map's file descriptor says: whether a ring buffer has a committed record
 * that user space has not consumed. The type calls object_wake(&map->object) when a producer
 * asks for a wake-up. Other types are never readable.
 */
bool map_is_readable(const struct map *map);

/* Whether [address, address+size) lies inside one value (or record) of the map: for the checked
 * interpreter; may be slow. */
bool map_owns(struct map *map, const void *address, size_t size);

#endif
