/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that run instead of a function of another (BPF_PROG_TYPE_EXT). */
#ifndef SKEP_SYS_EXTENSION_H
#define SKEP_SYS_EXTENSION_H

#include "hook/hook.h"
#include "sys/command.h"

/* A link of the program to the function that it replaces: link_create.target_fd and
 * target_btf_id, both 0: what it was loaded for. 0 or a negative errno. */
int extension_attach(struct call *call, struct prog *prog, int target_fd, u32 btf_id,
		     struct link **out);

void extension_link_info(const struct link *link, struct bpf_link_info *info);

/*
 * Linux keeps extended programs and prog arrays apart: an extension that tail-calls into a
 * program that calls it would never end. A program that is put into a prog array: 0, -EINVAL
 * (an extension), -EBUSY (it is extended). With extension_lock() held until it is in.
 */
int extension_prove_member(const struct prog *prog);

#endif
