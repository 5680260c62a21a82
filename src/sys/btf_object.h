/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF as an object with an id: what was loaded, with its view, or a module's of the kernel. */
#ifndef SKEP_SYS_BTF_OBJECT_H
#define SKEP_SYS_BTF_OBJECT_H

#include "base/object.h"
#include "btf/btf.h"

struct btf_object {
	struct object object; /* first: an object of kind OBJECT_BTF */
	struct btf_view
		*view; /* owned; NULL: a module's, whose types are in the kernel's view */
	char *name;    /* of the module; owned; NULL: loaded */
	void *data;    /* of the module; owned */
	size_t size;
};

/* Takes over `data`, from malloc(). NULL: out of memory, and it does not. */
struct btf_object *btf_object_of_module(const char *name, void *data, size_t size);

static inline struct btf_object *btf_of_object(struct object *object)
{
	return container_of(object, struct btf_object, object);
}

#endif
