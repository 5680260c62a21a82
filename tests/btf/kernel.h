/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF_LOAD of the live kernel, as the oracle of the tests of this folder. */
#ifndef SKEP_TESTS_BTF_KERNEL_H
#define SKEP_TESTS_BTF_KERNEL_H

#include "base/types.h"
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0 or a negative errno; `log` (may be NULL) receives the log of level 1. */
static inline int kernel_btf_load(const void *data, size_t size, char *log, size_t log_size)
{
	union bpf_attr attr = {};
	int fd;

	if (log)
		log[0] = '\0';
	attr.btf = ptr_to_u64(data);
	attr.btf_size = size;
	attr.btf_log_buf = ptr_to_u64(log);
	attr.btf_log_size = log ? log_size : 0;
	attr.btf_log_level = log ? 1 : 0;
	fd = syscall(__NR_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Whether this process may load BTF at all. */
static inline bool kernel_has_btf(void)
{
	static const struct {
		struct btf_header header;
		u32 types[4];
		char strings[5];
	} __attribute__((packed)) blob = {
		.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, 16, 16, 5},
		.types = {1, BTF_KIND_INT << 24, 4, 32},
		.strings = "\0int",
	};

	return !kernel_btf_load(&blob, sizeof(blob), NULL, 0);
}

#endif
