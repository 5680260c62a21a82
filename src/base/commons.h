/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in common: a file (a memfd, or one with a name) that is mapped at one address in every
 * process that takes part, so that a pointer into it means the same everywhere. Who takes part
 * is a member and has a number. A member holds a lock of the file (fcntl(2), F_OFD_SETLK) as
 * long as it lives: the kernel drops it with the process, however that ends, and so the others
 * find out.
 *
 * The file: a page with the header; what commons_area() gives behind it is the user's.
 *
 * A file is looked at closely before it is used: its owner, its size, its header with a
 * checksum. Members trust each other: each can write all of it.
 */
#ifndef SKEP_BASE_COMMONS_H
#define SKEP_BASE_COMMONS_H

#include "base/error.h"
#include "base/types.h"

/* Numbers are given once: so many processes may join between two that are alone. */
#define COMMONS_MEMBERS 255

struct commons_params {
	const char *path; /* NULL: by `fd` */
	int fd;		  /* of somebody who takes part; -1: a new memfd */
	u64 size;	  /* of a new file, whole pages; 0: 1 GiB */
	u64 address; /* of a new file; 0: one that is free here and most likely elsewhere */
	u32 slots;   /* of a new file; kept in its header */
	/* Called when nobody else is a member, and nobody can become one: the content is judged
	 * and put in order. `is_new`: there is none yet. Not 0: joining fails with it. */
	int (*alone)(void *cookie, bool is_new, struct skep_error *err);
	void *cookie;
};

struct commons; /* a membership */

/* The mapping is there while `alone` runs: *out is set before. */
int commons_join(const struct commons_params *params, struct commons **out,
		 struct skep_error *err);
/* Nobody of this process uses the memory any more. NULL: nothing. */
void commons_leave(struct commons *commons);

u8 *commons_base(const struct commons *commons);
/* Where the users' part of the memory begins and ends. */
u64 commons_start(const struct commons *commons);
u64 commons_size(const struct commons *commons);
u32 commons_slots(const struct commons *commons);
/* 1 .. COMMONS_MEMBERS */
u32 commons_number(const struct commons *commons);
int commons_fd(const struct commons *commons);
/* "region 'PATH'", for messages. */
const char *commons_name(const struct commons *commons);

/* Whether a member has ended; enters the kernel. */
bool commons_is_dead(const struct commons *commons, u32 member);

/* What members do one after the other; goes with a member that ends. */
void commons_lock(struct commons *commons);
void commons_unlock(struct commons *commons);

/* Gives a file's pages to the system and makes them zeros; whole pages. 0 or -errno. */
int commons_clear(struct commons *commons, u64 offset, u64 size);
/* Takes them from the system, so that no access ever finds that there are none: -ENOSPC. */
int commons_take(struct commons *commons, u64 offset, u64 size);

/* --- locks that outlive their owner: a word, 0 or the number of the member --- */
void commons_spin_lock(const struct commons *commons, u32 *word);
void commons_spin_unlock(u32 *word);

#endif
