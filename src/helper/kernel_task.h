/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's struct task_struct (kernel_object.h), filled in from /proc: threads and
 * processes that this process can see. What stands for the calling thread is made once and
 * lives as long as the thread; others are as they were when they were made.
 */
#ifndef SKEP_HELPER_KERNEL_TASK_H
#define SKEP_HELPER_KERNEL_TASK_H

#include "helper/kernel_object.h"

#include <sys/types.h>

struct run_context;

/* The task of this thread id, a reference. NULL: there is none, or no memory. Enters the
 * kernel. */
void *kernel_task(struct kernel_world *world, pid_t thread);
/* The calling thread's, valid inside the read-side section; NULL as above. Enters the kernel
 * the first time. */
void *kernel_task_current(const struct run_context *run);

/* The thread's id as /proc has it; 0: no object. */
pid_t kernel_task_id(void *task);
bool kernel_task_is_current(void *task);
/* Whom its local storage belongs to; NULL: no object, or no memory. Read-side section. */
struct owner *kernel_owner(const struct run_context *run, void *object);

/* Thread ids in rising order: all that /proc shows, those of the process `group`, or (threads
 * false) processes only. */
struct task_list {
	pid_t *ids; /* owned */
	u32 count;
};

/* `group` 0: of all processes. 0, -ESRCH or -ENOMEM. */
int task_list_new(struct task_list *list, pid_t group, bool threads);
/* The numbers of a task's open files, the same way. */
int task_list_files(struct task_list *list, pid_t task);
void task_list_done(struct task_list *list);

#endif
