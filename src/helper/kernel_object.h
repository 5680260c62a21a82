/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures of the kernel as programs see them: a task, a cgroup, an open file, a map. Each is
 * memory laid out as the kernel's BTF has the structure, so that a program compiled for the
 * kernel reads it unmodified; zero but for the members of kernel_members.def, which hold what
 * was so when the object was made. Behind it is a part that programs never see.
 *
 * Objects count their references and end after a grace period, as the kernel's under RCU do. A
 * pointer from one object to another holds it. Threads: any; an object is filled in before
 * anyone else sees it.
 */
#ifndef SKEP_HELPER_KERNEL_OBJECT_H
#define SKEP_HELPER_KERNEL_OBJECT_H

#include "map/own.h"
#include "map/owner.h"

struct run_env;

#define KERNEL_HELD	  8 /* other objects that one holds */
#define KERNEL_NAME_BYTES 256
#define KERNEL_PATH_BYTES 4096
#define KERNEL_SEQ_BYTES  96 /* struct sequence */

enum kernel_structure {
#define STRUCTURE(name, bytes) KERNEL_STRUCT_##name,
#define MEMBER(structure, name, path)
#include "helper/kernel_members.def"
#undef STRUCTURE
#undef MEMBER
	KERNEL_STRUCTURES,
};

enum kernel_member {
#define STRUCTURE(name, bytes)
#define MEMBER(structure, name, path) KERNEL_##structure##_##name,
#include "helper/kernel_members.def"
#undef STRUCTURE
#undef MEMBER
	KERNEL_MEMBERS,
};

struct kernel_world; /* of one engine */

/* What stands behind an object. */
struct kernel_hidden {
	u32 references;
	u32 structure;		    /* enum kernel_structure */
	struct kernel_world *world; /* outlives its objects */
	struct owner_key key;	    /* of local storage: tasks, cgroups */
	u32 held_cnt;
	void *held[KERNEL_HELD];
	char extra[]; /* as much as the structure's row says */
};

/* NULL: out of memory. The layouts are read from env->kernel_types() at the first object. */
struct kernel_world *kernel_world_new(const struct run_env *env);
/* Waits until its objects are gone; NULL is allowed. */
void kernel_world_free(struct kernel_world *world);

/* Zeroed, with one reference; NULL: out of memory. */
void *kernel_new(struct kernel_world *world, enum kernel_structure structure);
/* false: the last reference is gone, or there is no object. */
bool kernel_get(void *object);
void kernel_put(void *object); /* NULL is allowed */

static inline struct kernel_hidden *kernel_hidden(void *object)
{
	return own_hidden(object);
}

/* What this kernel has no such member for is left out. Numbers are cut to its size. */
void kernel_set(void *object, enum kernel_member member, u64 value);
void kernel_set_text(void *object, enum kernel_member member, const char *text);
void kernel_set_bytes(void *object, enum kernel_member member, const void *bytes, size_t size);
/* The member points to `other` from now on, whose reference it takes over; NULL is allowed. */
void kernel_hold(void *object, enum kernel_member member, void *other);
/* The number or the address in it, or the first 8 bytes; 0: this kernel has none. */
u64 kernel_value(const void *object, enum kernel_member member);
/* The whole object that has this member at `address`; NULL: this kernel has none. */
void *kernel_around(struct kernel_world *world, enum kernel_member member, u64 address);

#endif
