/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of a descriptor only in /proc. */
#ifndef SKEP_LINUX_FDINFO_H
#define SKEP_LINUX_FDINFO_H

#include "base/types.h"

/* Bytes that a map or a program is charged for; 0: not known. */
u64 linux_fd_memlock(int fd);

#endif
