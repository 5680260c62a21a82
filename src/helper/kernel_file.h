/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's struct file and struct vm_area_struct (kernel_object.h), filled in from /proc.
 */
#ifndef SKEP_HELPER_KERNEL_FILE_H
#define SKEP_HELPER_KERNEL_FILE_H

#include "helper/kernel_object.h"

#include <sys/types.h>

/* An open file of a task, a reference; NULL: there is none, or no memory. */
void *kernel_file(struct kernel_world *world, pid_t task, u32 fd);
/* The same of a link of /proc, without its position and flags. */
void *kernel_file_behind(struct kernel_world *world, const char *link);
/* The path as /proc shows it, of the `struct path` at this address; NULL: it is none of ours.
 */
const char *kernel_path_text(struct kernel_world *world, u64 path);

/* The areas of a task's memory, in their order. */
struct area_list {
	char *text, *rest; /* /proc/PID/maps; owned; what is not read yet */
	u64 from;
};

/* Those that end behind `from`. -ENOENT: no such task, or it has no memory; -ENOMEM. */
int area_list_new(struct area_list *list, pid_t task, u64 from);
/* The next area, a reference; NULL: there is none, or no memory. */
void *area_list_next(struct area_list *list, struct kernel_world *world);
void area_list_done(struct area_list *list);

#endif
