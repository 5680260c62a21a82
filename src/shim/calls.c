/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/calls.h"

#include "base/user.h"
#include "sys/fd_calls.h"
#include "sys/pin.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <skep/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Inside the engine the same calls are made for the engine's own sake. */
static _Thread_local unsigned int depth;
static _Thread_local int errno_before;

struct skep_engine *shim_enter(bool needed)
{
	struct skep_engine *engine;
	int before = errno;

	engine = depth ? NULL : shim_engine(needed);
	if (engine)
		errno_before = before;

	depth += engine != NULL;
	return engine;
}

/* bpftool looks at errno after calls that succeeded. */
long shim_leave(long ret)
{
	depth--;
	errno = ret < 0 ? (int)-ret : errno_before;
	if (ret >= 0)
		return ret;
	return -1;
}

void shim_leave_alone(void)
{
	depth--;
	errno = errno_before;
}

/* --- bpf(2) and perf_event_open(2) --- */

/* The attributes as far as the caller has them; false when they are not a BPF output's. */
static bool read_bpf_output(long user_attr, struct perf_event_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	if (user_read(attr, (u64)user_attr, PERF_ATTR_SIZE_VER0) ||
	    attr->type != PERF_TYPE_SOFTWARE || attr->config != PERF_COUNT_SW_BPF_OUTPUT)
		return false;
	return attr->size <= PERF_ATTR_SIZE_VER0 ||
	       !user_read(attr, (u64)user_attr, min((size_t)attr->size, sizeof(*attr)));
}

/* A program that is told ENOMEM has no way to ask which limit it met. */
static long shim_bpf(struct skep_engine *engine, const long arguments[3])
{
	long ret = skep_bpf(engine, (int)arguments[0], (void *)arguments[1],
			    (unsigned int)arguments[2]);
	const struct skep_error *err = ret == -ENOMEM ? skep_engine_error(engine) : NULL;

	if (err && err->hint[0])
		shim_tell(err->text);
	return ret;
}

long shim_syscall(long number, const long arguments[6])
{
	struct perf_event_attr attr;
	bool is_ours = number == SYS_bpf ||
		       (number == SYS_perf_event_open && read_bpf_output(arguments[0], &attr));
	struct skep_engine *engine = is_ours ? shim_enter(true) : NULL;

	if (!engine)
		return shim_real()->syscall(number, arguments[0], arguments[1], arguments[2],
					    arguments[3], arguments[4], arguments[5]);
	if (number == SYS_bpf)
		return shim_leave(shim_bpf(engine, arguments));
	return shim_leave(fd_perf_event_open(engine, &attr, (int)arguments[2]));
}

/* --- what is done with the descriptors --- */

void *shim_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
	struct skep_engine *engine =
		fd >= 0 && !(flags & MAP_ANONYMOUS) ? shim_enter(false) : NULL;
	void *mapped;
	int ret;

	if (!engine)
		return shim_real()->mmap(address, length, prot, flags, fd, offset);
	ret = fd_mmap(engine, fd, address, length, prot, flags, (u64)offset, &mapped);
	if (ret == FD_FOREIGN) {
		depth--;
		return shim_real()->mmap(address, length, prot, flags, fd, offset);
	}
	return shim_leave(ret) < 0 ? MAP_FAILED : mapped;
}

int shim_ioctl(int fd, unsigned long request, void *argument)
{
	bool is_perf = request == PERF_EVENT_IOC_ENABLE || request == PERF_EVENT_IOC_DISABLE;
	struct skep_engine *engine = is_perf ? shim_enter(false) : NULL;
	int ret;

	if (!engine)
		return shim_real()->ioctl(fd, request, argument);
	ret = fd_perf_event_enable(engine, fd, request == PERF_EVENT_IOC_ENABLE);
	if (ret == FD_FOREIGN) {
		depth--;
		return shim_real()->ioctl(fd, request, argument);
	}
	return (int)shim_leave(ret);
}

/* Consuming a ring buffer is not a call: whether there is data is found out before waiting. */
static void refresh(void)
{
	struct skep_engine *engine = shim_enter(false);

	if (!engine)
		return;
	fd_refresh(engine);
	depth--;
}

/* Whoever was told that a socket is connected finds it as programs have it. */
static int settled(int ret)
{
	struct skep_engine *engine = ret > 0 ? shim_enter(false) : NULL;

	if (!engine)
		return ret;
	skep_socket_settle(engine);
	shim_leave_alone();
	return ret;
}

int shim_epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout,
		     const sigset_t *mask)
{
	refresh();
	return settled(shim_real()->epoll_pwait(epoll, events, count, timeout, mask));
}

int shim_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	       const sigset_t *mask)
{
	refresh();
	return settled(shim_real()->ppoll(fds, count, timeout, mask));
}

ssize_t shim_readlink(const char *path, char *out, size_t size)
{
	static const char directory[] = "/proc/self/fd/";
	struct skep_engine *engine;
	const char *name;

	if (strncmp(path, directory, sizeof(directory) - 1))
		return shim_real()->readlink(path, out, size);
	engine = shim_enter(false);
	name = engine ? fd_name(engine, atoi(path + sizeof(directory) - 1)) : NULL;
	depth -= engine != NULL;
	if (!name)
		return shim_real()->readlink(path, out, size);
	size = strnlen(name, size);
	memcpy(out, name, size);
	return (ssize_t)size;
}

/* A file of the text; NULL: none, and errno. */
static FILE *open_text(const char *text)
{
	FILE *file = tmpfile();

	if (!file)
		return NULL;
	fputs(text, file);
	rewind(file);
	return file;
}

/* --- the kernel's types, where it shows none to this process --- */

static bool is_kernel_btf(const char *path)
{
	static const char file[] = "/sys/kernel/btf/vmlinux";

	return path && !depth && shim_is_active() && !strcmp(path, file) &&
	       shim_real()->faccessat(AT_FDCWD, file, R_OK, AT_EACCESS);
}

/* -1 and errno: not even the engine has them. */
static int open_kernel_btf(void)
{
	struct skep_engine *engine = shim_enter(true);
	int fd = -1, ret;

	if (!engine) {
		errno = ENOENT;
		return -1;
	}
	ret = fd_kernel_btf(engine, &fd);
	if (ret == FD_FOREIGN)
		ret = -ENOENT;
	return (int)shim_leave(ret < 0 ? ret : fd);
}

int shim_open(const char *path, int flags, mode_t mode)
{
	return is_kernel_btf(path) ? open_kernel_btf() : shim_real()->open(path, flags, mode);
}

int shim_faccessat(int directory, const char *path, int mode, int flags)
{
	return is_kernel_btf(path) && !(mode & (W_OK | X_OK))
		       ? 0
		       : shim_real()->faccessat(directory, path, mode, flags);
}

static FILE *fopen_kernel_btf(void)
{
	int fd = open_kernel_btf();
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

FILE *shim_fopen(const char *path, const char *mode)
{
	static const char directory[] = "/proc/self/fdinfo/";
	struct skep_engine *engine;
	FILE *file;
	char *text;

	if (is_kernel_btf(path))
		return fopen_kernel_btf();

	if (!path || strncmp(path, directory, sizeof(directory) - 1))
		return shim_real()->fopen(path, mode);
	engine = shim_enter(false);
	text = engine ? fd_info(engine, atoi(path + sizeof(directory) - 1)) : NULL;
	depth -= engine != NULL;
	if (!text)
		return shim_real()->fopen(path, mode);
	file = open_text(text);
	free(text);
	return file;
}

/* --- the file system of pins: what is below a directory where bpffs is mounted --- */

#define MOUNTS_MAX 16

static struct {
	char *path[MOUNTS_MAX];
	unsigned int count;
} mounts;

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return !strncmp(path, directory, length) && (!path[length] || path[length] == '/');
}

static bool is_pin_path(const char *path)
{
	if (!path || depth || !shim_is_active())
		return false;
	if (is_below(path, "/sys/fs/bpf"))
		return true;
	for (unsigned int i = 0; i < mounts.count; i++)
		if (is_below(path, mounts.path[i]))
			return true;
	return false;
}

int shim_statfs(const char *path, struct statfs *out)
{
	if (!is_pin_path(path))
		return shim_real()->statfs(path, out);
	memset(out, 0, sizeof(*out));
	out->f_type = BPF_FS_MAGIC;
	out->f_bsize = out->f_frsize = 4096;
	out->f_namelen = 255;
	return 0;
}

int shim_unlink(const char *path)
{
	struct skep_engine *engine = is_pin_path(path) ? shim_enter(true) : NULL;

	return engine ? (int)shim_leave(pin_remove(engine, path)) : shim_real()->unlink(path);
}

/* Directories exist as far as anyone asks for them. */
int shim_mkdir(const char *path, mode_t mode)
{
	return is_pin_path(path) ? 0 : shim_real()->mkdir(path, mode);
}

int shim_rmdir(const char *path)
{
	return is_pin_path(path) ? 0 : shim_real()->rmdir(path);
}

int shim_mount(const char *source, const char *target, const char *type, unsigned long flags,
	       const void *data)
{
	char *copy;

	if (!type || strcmp(type, "bpf") || !shim_is_active())
		return shim_real()->mount(source, target, type, flags, data);
	if (is_pin_path(target))
		return 0;
	copy = mounts.count < MOUNTS_MAX ? strdup(target) : NULL;
	if (!copy) {
		errno = ENOMEM;
		return -1;
	}
	mounts.path[mounts.count++] = copy;
	return 0;
}
