/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	int number;
	u32 right; /* enum skep_rights */
	const char *name, *what_for;
} wanted[] = {
	{CAP_BPF, SKEP_RIGHT_BPF, "CAP_BPF", "programs and maps"},
	{CAP_PERFMON, SKEP_RIGHT_PERFMON, "CAP_PERFMON", "tracing"},
	{CAP_NET_ADMIN, SKEP_RIGHT_NET_ADMIN, "CAP_NET_ADMIN", "networking"},
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

static void drop(struct __user_cap_data_struct *sets, int capability)
{
	sets[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
}

int linux_drop_rights(u32 kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (kept & SKEP_RIGHT_ADMIN)
		return 0;
	if (syscall(SYS_capget, &header, sets))
		return -errno;
	drop(sets, CAP_SYS_ADMIN);
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!(kept & wanted[i].right))
			drop(sets, wanted[i].number);
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}
