/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's calls by which a libbpf program reaches the kernel, for a process whose
 * bpf(2) is an engine's. Each function has the signature and the errno contract of the call it
 * stands for, and hands on whatever does not concern the engine.
 *
 * Two users put these functions in place: wrap.c (a program that is linked with
 * -Wl,--wrap) and preload.c (LD_PRELOAD). They provide `real`.
 */
#ifndef SKEP_SHIM_CALLS_H
#define SKEP_SHIM_CALLS_H

#include <poll.h>
#include <signal.h>
#include <skep/skep.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/statfs.h>
#include <sys/types.h>

/* The C library's own functions. */
struct real_calls {
	long (*syscall)(long number, ...);
	void *(*mmap)(void *address, size_t length, int prot, int flags, int fd, off_t offset);
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*epoll_pwait)(int epoll, struct epoll_event *events, int count, int timeout,
			   const sigset_t *mask);
	int (*ppoll)(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		     const sigset_t *mask);
	int (*statfs)(const char *path, struct statfs *out);
	ssize_t (*readlink)(const char *path, char *out, size_t size);
	int (*unlink)(const char *path);
	int (*mkdir)(const char *path, mode_t mode);
	int (*rmdir)(const char *path);
	int (*mount)(const char *source, const char *target, const char *type,
		     unsigned long flags, const void *data);
	FILE *(*fopen)(const char *path, const char *mode);
	int (*open)(const char *path, int flags, ...);
	int (*faccessat)(int directory, const char *path, int mode, int flags);
};

const struct real_calls *shim_real(void);
/* Of the preload library: the function behind its own of the name. Without it nothing can go on. */
void *shim_find(const char *name);

/* Whether calls are the engine's now, be it made already or not. */
bool shim_is_active(void);
/* The engine; NULL when calls go to Linux, or when it is not made yet and need not be. */
struct skep_engine *shim_engine(bool needed);

/* Why a call failed, where the program has no way to ask. */
void shim_tell(const char *text);

long shim_syscall(long number, const long arguments[6]);
void *shim_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset);
int shim_ioctl(int fd, unsigned long request, void *argument);
int shim_epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout,
		     const sigset_t *mask);
int shim_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	       const sigset_t *mask);
int shim_statfs(const char *path, struct statfs *out);
ssize_t shim_readlink(const char *path, char *out, size_t size);
int shim_unlink(const char *path);
int shim_mkdir(const char *path, mode_t mode);
int shim_rmdir(const char *path);
int shim_mount(const char *source, const char *target, const char *type, unsigned long flags,
	       const void *data);
FILE *shim_fopen(const char *path, const char *mode);
int shim_open(const char *path, int flags, mode_t mode);
int shim_faccessat(int directory, const char *path, int mode, int flags);

/* --- inside the room --- */

/* Marks the thread as being in the engine: the same calls are then made for its own sake. NULL:
 * it is there already, or there is no engine and none is needed. */
struct skep_engine *shim_enter(bool needed);
/* What a call returns: a value, and errno as it was, or -1 and errno. */
long shim_leave(long ret);
/* As if nothing had been called: errno is the caller's. */
void shim_leave_alone(void);

#endif
