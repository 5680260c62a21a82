/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of the kernel whose programs an engine takes: those of the kernel that runs here, or
 * the engine's own (kernel_types.def) where it shows none. */
#ifndef SKEP_SYS_KERNEL_BTF_H
#define SKEP_SYS_KERNEL_BTF_H

#include "btf/builder.h"
#include <pthread.h>

struct kernel_btf {
	pthread_mutex_t lock;
	struct btf_view *view; /* NULL: not read yet, or not there */
	bool was_read;
	/* The blob of the engine's own types, where the kernel shows none; owned; else NULL. */
	void *own;
	size_t own_size;
};

void kernel_btf_init(struct kernel_btf *kernel);
void kernel_btf_done(struct kernel_btf *kernel);
/* Read when it is first asked for; from then on it stays. NULL: out of memory. */
const struct btf_view *kernel_btf_view(struct kernel_btf *kernel);
/* The engine's own types, which the caller frees; their blob is kernel->own. NULL: out of memory.
 */
struct btf_view *kernel_btf_make(struct kernel_btf *kernel);
/* What the file would have that this kernel does not show; NULL: it shows it. */
const void *kernel_btf_own(struct kernel_btf *kernel, size_t *size);
/* Puts types behind those of the kernel, which the builder has as its base; no view was handed
 * out that is still in use. 0, or a negative errno with `err` filled in. */
int kernel_btf_extend(struct kernel_btf *kernel, struct btf_builder *builder,
		      struct skep_error *err);

#endif
