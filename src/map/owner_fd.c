/* SPDX-License-Identifier: BSD-2-Clause */
/* Which owner a descriptor of user space means. */
#include "base/os.h"
#include "map/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FDINFO_MAX 4096

/* "Pid:" of /proc/self/fdinfo: -1 when the process is gone, 0 when it is not seen from here. */
static int thread_of_pidfd(int fd, pid_t *out)
{
	char path[40], *text;
	const char *line;
	size_t size;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (os_read_file(path, FDINFO_MAX, &text, &size))
		return -EBADF;
	line = strstr(text, "\nPid:");
	*out = line ? (pid_t)strtol(line + strlen("\nPid:"), NULL, 10) : 0;
	free(text);
	return line ? 0 : -EBADF;
}

static int task_key(int fd, struct owner_key *out)
{
	pid_t thread = 0;
	u64 start;
	int err = thread_of_pidfd(fd, &thread);

	if (err)
		return err;
	start = thread > 0 ? thread_start_time(thread) : 0;
	if (!start)
		return -ENOENT;
	*out = (struct owner_key){OWNER_TASK, {(u64)thread, start}};
	return 0;
}

static int socket_key(int fd, struct owner_key *out)
{
	struct stat status;
	u64 cookie;
	socklen_t size = sizeof(cookie);

	if (fstat(fd, &status) || fcntl(fd, F_GETFL) & O_PATH)
		return -EBADF;
	if (!S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		return -errno;
	*out = (struct owner_key){OWNER_SOCKET, {cookie}};
	return 0;
}

static int inode_key(int fd, struct owner_key *out)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status))
		return -EBADF;
	*out = (struct owner_key){
		OWNER_INODE,
		{(u64)status.stx_dev_major << 32 | status.stx_dev_minor, status.stx_ino,
		 (u64)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec}};
	return 0;
}

/* A removed group has its directory still, in which nothing can be found. */
static int cgroup_key(int fd, struct owner_key *out)
{
	struct stat status;
	struct statfs tree;

	if (fstat(fd, &status) || fstatfs(fd, &tree))
		return -EBADF;
	if (tree.f_type != CGROUP2_SUPER_MAGIC && tree.f_type != CGROUP_SUPER_MAGIC)
		return -EBADF;
	if (!S_ISDIR(status.st_mode))
		return -EBADF;
	if (faccessat(fd, "cgroup.procs", F_OK, 0))
		return -ENOENT;
	*out = (struct owner_key){
		OWNER_CGROUP,
		{status.st_ino, status.st_dev, tree.f_type == CGROUP2_SUPER_MAGIC}};
	return 0;
}

int owner_key_of_fd(enum owner_kind kind, int fd, struct owner_key *out)
{
	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	switch (kind) {
	case OWNER_TASK: return task_key(fd, out);
	case OWNER_SOCKET: return socket_key(fd, out);
	case OWNER_INODE: return inode_key(fd, out);
	case OWNER_CGROUP: return cgroup_key(fd, out);
	}
	return -EINVAL;
}
