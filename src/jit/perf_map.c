/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/strbuf.h"
#include "jit/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int perf_map_open(void)
{
	struct stat stat;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &stat) && stat.st_uid == geteuid())
		return fd;
	close(fd);
	return -EPERM;
}

/* In one piece, so that threads do not mix their lines. */
void perf_map_add(int fd, const struct code_image *image)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 i = 0; i < image->symbol_cnt; i++)
		strbuf_addf(&text, "%llx %x %s\n",
			    ptr_to_u64(image->base + image->symbols[i].offset),
			    image->symbols[i].size, image->symbols[i].name);
	if (text.length && write(fd, text.text, text.length) < 0)
		errno = 0;
	strbuf_done(&text);
}
