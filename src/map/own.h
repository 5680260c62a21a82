/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs own: of their own types (bpf_obj_new), or of skep's own making
 * (cpumasks). Each knows its type, so that a pointer in a map's value is all that is needed to
 * give it back. Memory goes after a grace period: who found an object in a read-side section
 * may read it to the end of that section.
 *
 * Threads: any. Fields are changed under the lock that the verifier asked for.
 */
#ifndef SKEP_MAP_OWN_H
#define SKEP_MAP_OWN_H

#include "base/object.h"
#include "btf/fields.h"

/* An object of a program's types that is larger cannot be had, as on Linux (a slab of its
 * allocator). */
#define OWN_SIZE_MAX (4096 - 8)

struct own_world; /* all objects of an engine; counted by what is in it */

/* `is_listed`: own_world_has() may be asked (the checked interpreter does). NULL: no memory. */
struct own_world *own_world_new(bool is_listed);
void own_world_put(struct own_world *world);
u64 own_world_count(struct own_world *world); /* objects that are not freed yet */
/* Whether the bytes lie inside one object. Slow. */
bool own_world_has(struct own_world *world, u64 address, u32 size);

struct own_type; /* counted by its objects and by those who make some */

struct own_type_params {
	u32 size;
	u32 hidden;	    /* where the part begins that only the maker knows; 0: none */
	u32 copies;	    /* of each object, one for each slot; 1: it is not per-CPU */
	s32 count_offset;   /* of a u32 in the object that counts its references; -1: none */
	struct object *btf; /* a reference is taken; NULL */
	const struct btf_fields *fields; /* copied; NULL: none */
};

struct own_type *own_type_new(struct own_world *world, const struct own_type_params *params);
void own_type_put(struct own_type *type);

/* Zeroed, with one reference; NULL: no memory, or too large for a program's own type. */
void *own_new(struct own_type *type);
/* The part that own_type_params.hidden names. */
void *own_hidden(void *object);
/* One more reference; false: the last one is gone. Only where references are counted. */
bool own_get(void *object);
void own_put(void *object);
/* The copy of one slot. NULL: there is no such slot. */
void *own_copy(void *object, u32 slot);

/*
 * The types of one program's BTF, made when its functions first ask for one by its id. `btf` (a
 * reference is taken) keeps `view` alive.
 */
struct own_types;

struct own_types *own_types_new(struct own_world *world, struct object *btf,
				const struct btf_view *view);
void own_types_free(struct own_types *types);
/* Kept by `types`. `copies` as in struct own_type_params. NULL: no memory. */
struct own_type *own_types_get(struct own_types *types, u32 type_id, u32 copies);

/*
 * What a value or an object holds is given back: pointers, lists, trees; these fields are empty
 * then. Programs may still be using the others.
 */
void own_release_fields(const struct btf_fields *fields, void *base);
/* The same until *left objects were given back; false: there are more. */
bool own_release_some(const struct btf_fields *fields, void *base, u32 *left);

#endif
