/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions: memory of maps that several processes share, and that may outlive them (options of
 * skep_engine_new(); docs/regions.md).
 */
#ifndef SKEP_REGION_H
#define SKEP_REGION_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A descriptor of the region's file, for another process to join by (SKEP_REGION_FD): the
 * caller's to close, and close-on-exec. A negative errno: -ENOENT (the engine has no region),
 * -EMFILE.
 */
SKEP_API int skep_region_fd(struct skep_engine *engine);

/* Where the region is, in all processes; valid as long as the engine. NULL: it has none. */
SKEP_API void *skep_region_address(struct skep_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
