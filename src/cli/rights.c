/* SPDX-License-Identifier: BSD-2-Clause */
/* --rights: with which of its rights a program is loaded, on skep and on Linux alike. */
#include "cli/session.h"

#include <string.h>

static const struct {
	const char *name;
	u32 right;
} names[] = {
	{"bpf", SKEP_RIGHT_BPF},
	{"perfmon", SKEP_RIGHT_PERFMON},
	{"net-admin", SKEP_RIGHT_NET_ADMIN},
	{"admin", SKEP_RIGHTS_ALL},
	{"none", 0},
};

static int parse_right(const char *name, size_t length, u32 *rights)
{
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i].name) != length || strncmp(names[i].name, name, length))
			continue;
		*rights |= names[i].right;
		return 0;
	}
	return usage_error("--rights: unknown right '%.*s': expected bpf, perfmon, net-admin, "
			   "admin or none",
			   (int)length, name);
}

int parse_rights(const struct command_line *line, u32 *out)
{
	const char *text = line->option[OPTION_rights];
	size_t length;
	int code = 0;

	*out = text ? 0 : SKEP_RIGHTS_ALL;
	for (; !code && text && *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		code = parse_right(text, length, out);
	}
	return code;
}
