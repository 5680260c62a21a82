/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/fdinfo.h"

#include <stdio.h>

u64 linux_fd_memlock(int fd)
{
	char path[64], line[256];
	u64 bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}
