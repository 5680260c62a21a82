/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF that was loaded: an object with an id around a view. */
#ifndef SKEP_SYS_BTF_OBJECT_H
#define SKEP_SYS_BTF_OBJECT_H

#include "base/object.h"
#include "btf/btf.h"

struct btf_object {
	struct object object;  /* first: an object of kind OBJECT_BTF */
	struct btf_view *view; /* owned */
};

static inline struct btf_object *btf_of_object(struct object *object)
{
	return container_of(object, struct btf_object, object);
}

#endif
