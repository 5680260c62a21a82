/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling in struct skep_error. Every function accepts a NULL record and then only returns. */
#ifndef SKEP_BASE_ERROR_H
#define SKEP_BASE_ERROR_H

#include <skep/error.h>

/* Records `code` (a negative errno) with a formatted text, and returns it. */
int error_set(struct skep_error *err, enum skep_stage stage, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void error_hint(struct skep_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void error_where(struct skep_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void error_clear(struct skep_error *err);

#endif
