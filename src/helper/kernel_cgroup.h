/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's struct cgroup (kernel_object.h), made of a directory of a mounted tree, and
 * walks over such trees. All of it enters the kernel.
 */
#ifndef SKEP_HELPER_KERNEL_CGROUP_H
#define SKEP_HELPER_KERNEL_CGROUP_H

#include "helper/kernel_object.h"

#include <sys/types.h>

/* Where the version 2 tree is mounted; NULL: nowhere. */
const char *cgroup_mount(void);

/* The group of a directory below `mount`, a reference; NULL: there is none, or no memory. */
void *kernel_cgroup(struct kernel_world *world, const char *mount, const char *path);
/* Of a task (hierarchy 0: the version 2 tree), or by the inode of its directory. */
void *kernel_cgroup_of_task(struct kernel_world *world, pid_t task, u32 hierarchy);
void *kernel_cgroup_of_id(struct kernel_world *world, u64 id);

/* Of its directory; lives as long as the group's object. */
const char *kernel_cgroup_path(void *group);
/* Whether a group's directory is the object's, or below it. */
bool kernel_cgroup_is_under(const char *path, void *group);

struct cgroup_place {
	char mount[KERNEL_NAME_BYTES], path[KERNEL_PATH_BYTES];
};

/* The directory of a task's group. -ESRCH: no such task; -ENOENT: no such tree. */
int cgroup_of_task(pid_t task, u32 hierarchy, struct cgroup_place *out);

enum cgroup_order {
	CGROUP_SELF,
	CGROUP_CHILDREN, /* it, then those directly below it */
	CGROUP_PRE,	 /* a group before what is below it */
	CGROUP_POST,	 /* the other way round */
	CGROUP_UP,	 /* it, then those above it */
};

struct cgroup_list {
	char **paths; /* owned */
	u32 count;
};

/* The directories from one on, siblings in the order of their making. 0 or -ENOMEM. */
int cgroup_list_new(struct cgroup_list *list, const char *mount, const char *path,
		    enum cgroup_order order);
void cgroup_list_done(struct cgroup_list *list);

#endif
