/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes as people write them: "64K", "310 MiB". */
#ifndef SKEP_BASE_BYTES_H
#define SKEP_BASE_BYTES_H

#include "base/types.h"

#define BYTES_TEXT 16

/* A number with K, M, G or T behind it, or nothing (bytes); false: it is none, or too large. */
bool bytes_parse(const char *text, u64 *out);
/* Three digits at most and the largest unit that makes them so; returns `out`. */
const char *bytes_text(u64 bytes, char out[BYTES_TEXT]);

#endif
