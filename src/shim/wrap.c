/* SPDX-License-Identifier: BSD-2-Clause */
/* The linker turns each call of X into __wrap_X and leaves the C library's as __real_X. */
#include "shim/wrap.h"

#include "shim/calls.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <unistd.h>

static struct skep_engine *_Atomic engine;

void wrap_use_engine(struct skep_engine *new_engine)
{
	/* Release: partner of shim_engine(). */
	atomic_store_explicit(&engine, new_engine, memory_order_release);
}

void wrap_use_linux(void)
{
	wrap_use_engine(NULL);
}

struct skep_engine *shim_engine(bool needed)
{
	return atomic_load_explicit(&engine, memory_order_acquire);
}

/* These programs know the engine and ask skep_engine_error(). */
void shim_tell(const char *text)
{
}

bool shim_is_active(void)
{
	return shim_engine(false);
}

long __real_syscall(long number, ...);
void *__real_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset);
int __real_ioctl(int fd, unsigned long request, ...);
int __real_statfs(const char *path, struct statfs *out);
int __real_unlink(const char *path);
int __real_mkdir(const char *path, mode_t mode);
int __real_rmdir(const char *path);
FILE *__real_fopen(const char *path, const char *mode);
int __real_open(const char *path, int flags, ...);
int __real_faccessat(int directory, const char *path, int mode, int flags);

static const struct real_calls real = {
	.syscall = __real_syscall,
	.mmap = __real_mmap,
	.ioctl = __real_ioctl,
	.epoll_pwait = epoll_pwait,
	.ppoll = ppoll,
	.statfs = __real_statfs,
	.readlink = readlink,
	.unlink = __real_unlink,
	.mkdir = __real_mkdir,
	.rmdir = __real_rmdir,
	.mount = mount,
	.fopen = __real_fopen,
	.open = __real_open,
	.faccessat = __real_faccessat,
};

const struct real_calls *shim_real(void)
{
	return &real;
}

#define SYMBOL(name) __asm__("__wrap_" #name)
#include "shim/symbols.h"
