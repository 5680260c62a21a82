/* SPDX-License-Identifier: BSD-2-Clause */
/* The live kernel's maps through bpf(2): every call gives 0 (or an fd) or a negative errno. */
#ifndef SKEP_TESTS_MAP_LIVE_H
#define SKEP_TESTS_MAP_LIVE_H

#include "base/types.h"
#include "catalog/map_desc.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int live_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (int)result;
}

static inline int live_create(const struct map_desc *desc, int inner_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = desc->type;
	attr.key_size = desc->key_size;
	attr.value_size = desc->value_size;
	attr.max_entries = desc->max_entries;
	attr.map_flags = desc->flags;
	attr.map_extra = desc->extra;
	attr.numa_node = desc->numa_node;
	attr.inner_map_fd = inner_fd > 0 ? inner_fd : 0;
	return live_bpf(BPF_MAP_CREATE, &attr);
}

static inline int live_element(enum bpf_cmd command, int fd, const void *key, const void *value,
			       u64 flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = ptr_to_u64(key);
	attr.value = ptr_to_u64(value);
	attr.flags = flags;
	return live_bpf(command, &attr);
}

#endif
