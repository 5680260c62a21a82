/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File descriptors of objects. They are real: the kernel tracks their copies (dup, fork,
 * SCM_RIGHTS), and close() is not intercepted. Two forms:
 *
 *   pipe   user space holds the read end, the engine the write end. When every copy of the
 *          read end is closed, the write end polls EPOLLERR.
 *   memfd  for arrays with BPF_F_MMAPABLE, so that mmap() works natively. User space and the
 *          engine each hold an open file for writing; the engine may take a write lease only
 *          when it is the last writer, mappings included.
 *
 * A descriptor is found again by the inode of the file behind it. What user space has closed is
 * noticed by descriptors_reap(), which commands that hand out or list objects call first.
 */
#ifndef SKEP_SYS_DESCRIPTOR_H
#define SKEP_SYS_DESCRIPTOR_H

#include "base/object.h"
#include "base/rcu.h"
#include <sys/types.h>

#define DESCRIPTOR_BUCKETS 1024

enum descriptor_mode { DESCRIPTOR_READ = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_RDWR = 3 };

/* What BPF_F_RDONLY and BPF_F_WRONLY say; false for both at once and for other flags. */
bool descriptor_mode_of_flags(u32 flags, u32 *mode);

struct descriptor_table {
	struct cds_list_head buckets[DESCRIPTOR_BUCKETS];
	struct cds_list_head memfds;	/* no epoll instance can watch these */
	struct cds_list_head pollables; /* of ring buffers and perf events */
	int epoll;			/* over the write ends of all pipes */
	pid_t owner;			/* whose epoll instance it is */
};

int descriptors_init(struct descriptor_table *table);
void descriptors_done(struct skep_engine *engine);

/* A new close-on-exec descriptor of the object, which takes a reference of its own; negative
 * errno. `mode`: enum descriptor_mode. */
int descriptor_open(struct skep_engine *engine, struct object *object, u32 mode);

/* The object behind `fd` as a new reference, and how it was opened (may be NULL); NULL and
 * *err = -EBADF: not open; -EINVAL: open, but nothing of this engine. */
struct object *descriptor_any(struct skep_engine *engine, int fd, u32 *mode, int *err);
/* The same for one kind: -EINVAL for another. */
struct object *descriptor_object(struct skep_engine *engine, int fd, enum object_kind kind,
				 u32 *mode, int *err);

/* Drops the references of descriptors that user space has closed. */
void descriptors_reap(struct skep_engine *engine);

/*
 * Makes each pollable descriptor readable exactly when its object has something to read. A
 * pipe's state alone is too old: consuming a ring buffer does not pass through the engine.
 */
void descriptors_refresh(struct skep_engine *engine);

#endif
