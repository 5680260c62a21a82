/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a line of routes (route_text.c). */
#ifndef SKEP_NET_ROUTE_WORD_H
#define SKEP_NET_ROUTE_WORD_H

#include "map/route.h"
#include <skep/error.h>

#define LINE_MAX_BYTES 512

struct route_programs;

struct route_reader {
	struct route_set *set;
	const struct route_programs *programs;
	struct skep_error *err;
	char line[LINE_MAX_BYTES];
	char *rest; /* of the line */
	u32 number;
};

/* NULL: the line ends. */
char *route_word(struct route_reader *reader);
/* -EINVAL and -ENOMEM, with their texts; `found` NULL: the end of the line. */
int route_refuse(struct route_reader *reader, const char *found, const char *expected);
int route_no_memory(struct route_reader *reader);

/* Whether the word, which may be NULL, is one. A prefix's word is changed. */
bool route_parse_number(const char *text, u32 *out);
bool route_parse_prefix(char *text, struct route_prefix *out);

/* The next word as something: 0 or route_refuse(). */
int route_read_number(struct route_reader *reader, u32 *out);
int route_read_ip(struct route_reader *reader, struct route_ip *out);
int route_read_prefix(struct route_reader *reader, struct route_prefix *out);
int route_read_mac(struct route_reader *reader, u8 *out);
/* A number, or the name of a device of an earlier line. */
int route_read_device(struct route_reader *reader, u32 *out);
int route_read_table(struct route_reader *reader, u32 *out);
int route_read_name(struct route_reader *reader, char *out, size_t size);

#endif
