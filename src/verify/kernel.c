/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of the kernel that a program is for. Most programs never ask. */
#include "btf/btf.h"
#include "verify/walk.h"

const struct btf_view *walk_kernel(struct walk *walk)
{
	if (!walk->has_asked_kernel && walk->input->kernel_btf)
		walk->kernel = walk->input->kernel_btf(walk->input->cookie);
	walk->has_asked_kernel = true;
	return walk->kernel;
}

u32 walk_kernel_struct(struct walk *walk, const char *name)
{
	const struct btf_view *kernel = walk_kernel(walk);

	return kernel ? btf_find(kernel, name, BTF_KIND_STRUCT) : 0;
}
