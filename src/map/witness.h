/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who knows whether a thing of the kernel is still there, without keeping it:
 *
 *	thread		/proc says when the thread of this id started
 *	socket, pipe	an epoll instance forgets a file when its last descriptor is closed
 *	file		inotify tells when the last name and descriptor are gone
 *	cgroup		its directory has the same number
 *
 * The others count as alive.
 */
#ifndef SKEP_MAP_WITNESS_H
#define SKEP_MAP_WITNESS_H

#include "base/types.h"
#include <sys/types.h>

/* What epoll instances of witnesses say of their files, so that they are told from others. */
#define WITNESS_MARK 0x736b65702d776974ull

enum witness_kind {
	WITNESS_NONE,
	WITNESS_THREAD,
	WITNESS_EPOLL,
	WITNESS_INOTIFY,
	WITNESS_DIRECTORY,
};

struct witness_id {
	u64 device, number;
};

struct witness {
	enum witness_kind kind;
	struct witness_id id; /* EPOLL: an inode, its device as the kernel writes it */
	u64 number;	      /* THREAD: start time; INOTIFY: its watch; DIRECTORY: inode */
	pid_t thread;	      /* THREAD */
	char *path;	      /* DIRECTORY; owned */
};

struct witness_list {
	struct witness_id *ids; /* owned; sorted once a hearing has begun */
	u32 count;
	bool is_complete;
};

/* What is asked of the kernel for all witnesses of an engine. The caller has a lock. */
struct witnesses {
	int epoll, inotify;	   /* -1: not needed yet */
	struct witness_list alive; /* a hearing: files that the epoll instance knows */
	struct witness_list dead;  /* a hearing: watches that inotify has ended */
};

void witnesses_init(struct witnesses *all);
void witnesses_done(struct witnesses *all);

void witness_thread(struct witness *out, pid_t thread, u64 start_time);
/* A witness for a socket, or for the file behind the descriptor. */
void witness_file(struct witnesses *all, struct witness *out, int fd);
void witness_directory(struct witness *out, int fd);
void witness_done(struct witness *witness);

/* A hearing: between begin and end the witnesses of this engine are asked. */
void witnesses_begin(struct witnesses *all);
bool witness_says_gone(const struct witnesses *all, const struct witness *witness);
void witnesses_end(struct witnesses *all);

/* When the thread started, in clock ticks after boot; 0: there is none. */
u64 thread_start_time(pid_t thread);

#endif
