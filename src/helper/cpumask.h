/* SPDX-License-Identifier: BSD-2-Clause */
/* Struct bpf_cpumask as Linux builds have it: a bit for each of 8192 cpus, then a count. */
#ifndef SKEP_HELPER_CPUMASK_H
#define SKEP_HELPER_CPUMASK_H

#include "map/own.h"

#define CPUMASK_BYTES (8192 / 8)

static inline struct own_type *cpumask_type_new(struct own_world *world)
{
	return own_type_new(world, &(struct own_type_params){
					   .size = CPUMASK_BYTES + sizeof(u32),
					   .copies = 1,
					   .count_offset = CPUMASK_BYTES,
				   });
}

#endif
