/* SPDX-License-Identifier: BSD-2-Clause */
/* The region that an engine's maps are in: what its options say of it. */
#ifndef SKEP_SYS_REGION_H
#define SKEP_SYS_REGION_H

#include <skep/skep.h>

/* 0 and engine->shared, NULL when the options name no region; else a negative errno. */
int region_init(struct skep_engine *engine, const struct skep_engine_opts *opts,
		struct skep_error *err);

#endif
