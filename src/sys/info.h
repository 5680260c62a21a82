/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kinds of OBJ_GET_INFO_BY_FD share. */
#ifndef SKEP_SYS_INFO_H
#define SKEP_SYS_INFO_H

#include "sys/command.h"

struct prog;

/* Reads the caller's structure of at most `size` bytes; *length: how much of it to write back.
 */
int info_read(struct call *call, void *info, u32 size, u32 *length);
int info_write(struct call *call, const void *info, u32 length);
/* As much of an array as the caller has room for; 0 or -EFAULT. */
int info_write_array(u64 to, u32 room, const void *from, u32 count, u32 size);

/* The number of the port that a program or map is for, and the name space that it counts in. */
void info_fill_device(u32 ifindex, u32 *out_ifindex, __u64 *netns_dev, __u64 *netns_ino);

int prog_info(struct call *call, struct prog *prog);

#endif
