/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's machine code with the names and lines that its BTF has. */
#ifndef SKEP_SYS_CODE_IMAGE_H
#define SKEP_SYS_CODE_IMAGE_H

#include "base/arena.h"
#include "jit/image.h"

struct native;
struct prog;

struct built_image {
	struct arena arena;
	struct code_image image;
};

/* 0 or -ENOMEM. */
int code_image_build(const struct prog *prog, const struct native *native,
		     struct built_image *out);
void code_image_free(struct built_image *built);

#endif
