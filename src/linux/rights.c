/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int number;
	const char *name, *what_for;
} wanted[] = {
	{CAP_BPF, "CAP_BPF", "programs and maps"},
	{CAP_PERFMON, "CAP_PERFMON", "tracing"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "networking"},
};

u64 linux_capabilities(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	u64 capabilities = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &capabilities) == 1)
			break;
	if (file)
		fclose(file);
	return capabilities;
}

bool linux_has_capability(int capability)
{
	return linux_capabilities() >> capability & 1;
}

const char *linux_missing_right(int error)
{
	static _Thread_local char text[160];
	bool has_all = linux_has_capability(CAP_SYS_ADMIN);
	size_t length = 0;

	text[0] = '\0';
	if ((error != EPERM && error != EACCES) || has_all)
		return text;
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!linux_has_capability(wanted[i].number))
			length += snprintf(text + length, sizeof(text) - length, "%s%s for %s",
					   length ? ", " : " (missing: ", wanted[i].name,
					   wanted[i].what_for);
	if (length)
		snprintf(text + length, sizeof(text) - length, ")");
	return text;
}
