/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's functions that libbpf itself calls, defined under the symbols that
 * SYMBOL(name) says: once as what the linker wraps (wrap.c), once as what the dynamic loader
 * finds first (preload.c). The C names are others, because the C library's headers declare
 * their own, and redirect some.
 */
long own_syscall(long number, ...) SYMBOL(syscall);
void *own_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
	SYMBOL(mmap);
void *own_mmap64(void *address, size_t length, int prot, int flags, int fd, off_t offset)
	SYMBOL(mmap64);
int own_ioctl(int fd, unsigned long request, ...) SYMBOL(ioctl);
int own_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
	SYMBOL(epoll_wait);
int own_statfs(const char *path, struct statfs *out) SYMBOL(statfs);
int own_statfs64(const char *path, struct statfs *out) SYMBOL(statfs64);
int own_unlink(const char *path) SYMBOL(unlink);
int own_mkdir(const char *path, mode_t mode) SYMBOL(mkdir);
int own_rmdir(const char *path) SYMBOL(rmdir);
FILE *own_fopen(const char *path, const char *mode) SYMBOL(fopen);
FILE *own_fopen64(const char *path, const char *mode) SYMBOL(fopen64);
int own_open(const char *path, int flags, ...) SYMBOL(open);
int own_open64(const char *path, int flags, ...) SYMBOL(open64);
int own_faccessat(int directory, const char *path, int mode, int flags) SYMBOL(faccessat);

/* No system call has more than six arguments; reading those that were not given is harmless. */
long own_syscall(long number, ...)
{
	long arguments[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	return shim_syscall(number, arguments);
}

void *own_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
	return shim_mmap(address, length, prot, flags, fd, offset);
}

void *own_mmap64(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
	return shim_mmap(address, length, prot, flags, fd, offset);
}

int own_ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list list;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return shim_ioctl(fd, request, argument);
}

int own_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
	return shim_epoll_pwait(epoll, events, count, timeout, NULL);
}

int own_statfs(const char *path, struct statfs *out)
{
	return shim_statfs(path, out);
}

int own_statfs64(const char *path, struct statfs *out)
{
	return shim_statfs(path, out);
}

int own_unlink(const char *path)
{
	return shim_unlink(path);
}

int own_mkdir(const char *path, mode_t mode)
{
	return shim_mkdir(path, mode);
}

int own_rmdir(const char *path)
{
	return shim_rmdir(path);
}

FILE *own_fopen(const char *path, const char *mode)
{
	return shim_fopen(path, mode);
}

FILE *own_fopen64(const char *path, const char *mode)
{
	return shim_fopen(path, mode);
}

/* The mode counts only where a file is made; reading one that was not given is harmless. */
int own_open(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = va_arg(list, mode_t);
	va_end(list);
	return shim_open(path, flags, mode);
}

int own_open64(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = va_arg(list, mode_t);
	va_end(list);
	return shim_open(path, flags, mode);
}

int own_faccessat(int directory, const char *path, int mode, int flags)
{
	return shim_faccessat(directory, path, mode, flags);
}
