/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON written as it comes, into a strbuf. The caller opens, names and closes; commas, escapes
 * and indentation are done here. A NULL name writes an array element or the root.
 */
#ifndef SKEP_BASE_JSON_H
#define SKEP_BASE_JSON_H

#include "base/strbuf.h"

struct json {
	struct strbuf *out;
	bool pretty;
	bool need_comma;
	int depth;
};

void json_init(struct json *json, struct strbuf *out, bool pretty);
void json_object(struct json *json, const char *name);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *name);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *name, const char *value);
/* `length` bytes that need not be terminated; bytes that are not UTF-8 become \u00XX. */
void json_bytes(struct json *json, const char *name, const char *value, size_t length);
void json_int(struct json *json, const char *name, s64 value);
void json_uint(struct json *json, const char *name, u64 value);
void json_double(struct json *json, const char *name, double value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

#endif
