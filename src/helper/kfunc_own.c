/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the program's own types, and pointers to objects in values. */
#include "helper/body.h"
#include "map/own.h"

#include <stdatomic.h>

static u64 new_object(struct run_context *run, u64 type_id, u32 copies)
{
	struct own_type *type = own_types_get(run->site->types, type_id, copies);

	return type ? ptr_to_u64(own_new(type)) : 0;
}

KFUNC_BODY(bpf_obj_new_impl)
{
	return new_object(run, r1, 1);
}

KFUNC_BODY(bpf_percpu_obj_new_impl)
{
	return new_object(run, r1, slots_count(run->env->slots));
}

KFUNC_BODY(bpf_obj_drop_impl)
{
	own_put(u64_to_ptr(r1));
	return 0;
}

KFUNC_BODY(bpf_percpu_obj_drop_impl)
{
	own_put(u64_to_ptr(r1));
	return 0;
}

KFUNC_BODY(bpf_refcount_acquire_impl)
{
	return own_get(u64_to_ptr(r1)) ? r1 : 0;
}

/* The reference goes with the pointer. */
HELPER_BODY(kptr_xchg)
{
	return atomic_exchange((_Atomic u64 *)u64_to_ptr(r1), r2);
}

HELPER_BODY(per_cpu_ptr)
{
	return ptr_to_u64(own_copy(u64_to_ptr(r1), r2));
}

HELPER_BODY(this_cpu_ptr)
{
	return ptr_to_u64(own_copy(u64_to_ptr(r1), run->slot));
}
