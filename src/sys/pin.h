/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: names that keep objects. Those of maps in the engine's region are in the region. What
 * bpffs is on Linux is a table of normalised absolute paths here; no file is made, and
 * directories need not exist.
 */
#ifndef SKEP_SYS_PIN_H
#define SKEP_SYS_PIN_H

#include "base/object.h"

struct pin {
	char *path;
	struct object *object; /* reference */
};

struct pin_table {
	struct pin *pins; /* sorted by path */
	u32 count, capacity;
};

void pins_done(struct skep_engine *engine);

/* unlink() of a pinned path: 0 or -ENOENT. */
int pin_remove(struct skep_engine *engine, const char *path);

#endif
