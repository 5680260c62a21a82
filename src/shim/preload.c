/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libskep-preload.so: for unmodified programs (`skep exec`). The process gets one engine, made
 * at its first call that needs one; a forked process goes on with a copy of it.
 */
#include "base/bytes.h"
#include "base/rcu.h"
#include "shim/calls.h"
#include "shim/debug.h"
#include "sys/fd_calls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <skep/port.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static struct skep_engine *_Atomic engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT, calls_once = PTHREAD_ONCE_INIT;

/* What the environment says of the engine; false after a message. */
static bool read_environment(struct skep_engine_opts *opts)
{
	const char *memory = getenv("SKEP_MEMORY"), *debug = getenv("SKEP_JIT_DEBUG");
	u64 limit;

	if (debug && !debug_parse(debug, &opts->jit_debug)) {
		fprintf(stderr,
			"libskep-preload: SKEP_JIT_DEBUG=%s: expected perf-map, perf-dump or gdb, "
			"with commas between them\n",
			debug);
		return false;
	}
	opts->pin_dir = getenv("SKEP_PIN_DIR");
	opts->region_or_private = true;
	if (!memory || !*memory)
		return true;
	if (!bytes_parse(memory, &limit)) {
		fprintf(stderr,
			"libskep-preload: SKEP_MEMORY=%s: expected a size such as 64M\n",
			memory);
		return false;
	}
	opts->memory_limit = limit;
	return true;
}

static void before_fork(void)
{
	if (shim_engine(false))
		fd_before_fork(shim_engine(false));
}

static void after_fork_in_parent(void)
{
	if (shim_engine(false))
		fd_after_fork(shim_engine(false), false);
}

static void after_fork_in_child(void)
{
	if (shim_engine(false))
		fd_after_fork(shim_engine(false), true);
}

/* Those of SKEP_PORTS, in their order from 1 on; false after a message. */
static bool open_ports(struct skep_engine *created)
{
	char *list = strdup(getenv("SKEP_PORTS") ?: ""), *rest = list, *spec;
	struct skep_error err = {};
	bool ok = list;

	while (ok && (spec = strsep(&rest, " ")))
		ok = !*spec || skep_port_open(created, spec, &err) > 0;
	if (!ok)
		fprintf(stderr, "libskep-preload: %s\n", list ? err.text : "out of memory");
	free(list);
	return ok;
}

static void create_engine(void)
{
	struct skep_engine_opts opts = {.sz = sizeof(opts)};
	struct skep_engine *created = NULL;
	struct skep_error err;

	if (read_environment(&opts)) {
		created = skep_engine_new(&opts, &err);
		if (!created)
			fprintf(stderr, "libskep-preload: %s\n", err.text);
		else if (getenv("SKEP_CRASH_REPORTS"))
			debug_report_crashes(created);
	}
	if (created && !open_ports(created)) {
		skep_engine_free(created);
		created = NULL;
	}
	/* What is registered last runs first: callbacks may want the engine's locks. */
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	pthread_atfork(urcu_bp_call_rcu_before_fork, urcu_bp_call_rcu_after_fork_parent,
		       urcu_bp_call_rcu_after_fork_child);
	/* Release: partner of shim_engine(). */
	atomic_store_explicit(&engine, created, memory_order_release);
}

/* Creating the engine makes calls that come back here: those find none yet. */
struct skep_engine *shim_engine(bool needed)
{
	if (needed)
		pthread_once(&engine_once, create_engine);
	return atomic_load_explicit(&engine, memory_order_acquire);
}

void shim_tell(const char *text)
{
	fprintf(stderr, "libskep-preload: %s\n", text);
}

bool shim_is_active(void)
{
	return true;
}

/* --- the C library's functions: the first definitions behind this library --- */

static struct real_calls real;

void *shim_find(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol) {
		fprintf(stderr, "libskep-preload: the C library has no %s()\n", name);
		abort();
	}
	return symbol;
}

static void find_real_calls(void)
{
	real.syscall = shim_find("syscall");
	real.mmap = shim_find("mmap");
	real.ioctl = shim_find("ioctl");
	real.epoll_pwait = shim_find("epoll_pwait");
	real.ppoll = shim_find("ppoll");
	real.statfs = shim_find("statfs");
	real.readlink = shim_find("readlink");
	real.unlink = shim_find("unlink");
	real.mkdir = shim_find("mkdir");
	real.rmdir = shim_find("rmdir");
	real.mount = shim_find("mount");
	real.fopen = shim_find("fopen");
	real.open = shim_find("open");
	real.faccessat = shim_find("faccessat");
}

/* Found at the first call: constructors of other libraries may call before ours could run. */
const struct real_calls *shim_real(void)
{
	pthread_once(&calls_once, find_real_calls);
	return &real;
}

#define SYMBOL(name) __asm__(#name) __attribute__((visibility("default")))
#include "shim/symbols.h"

/* --- what programs around libbpf call too --- */

int own_epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout,
		    const sigset_t *mask) SYMBOL(epoll_pwait);
int own_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	      const sigset_t *mask) SYMBOL(ppoll);
int own_poll(struct pollfd *fds, nfds_t count, int timeout) SYMBOL(poll);
ssize_t own_readlink(const char *path, char *out, size_t size) SYMBOL(readlink);
ssize_t own_readlink_chk(const char *path, char *out, size_t size, size_t room)
	SYMBOL(__readlink_chk);
int own_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const void *data) SYMBOL(mount);

int own_epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout,
		    const sigset_t *mask)
{
	return shim_epoll_pwait(epoll, events, count, timeout, mask);
}

int own_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	      const sigset_t *mask)
{
	return shim_ppoll(fds, count, timeout, mask);
}

int own_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec time = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};

	return shim_ppoll(fds, count, timeout < 0 ? NULL : &time, NULL);
}

ssize_t own_readlink(const char *path, char *out, size_t size)
{
	return shim_readlink(path, out, size);
}

/* What readlink() becomes in programs built with _FORTIFY_SOURCE. */
ssize_t own_readlink_chk(const char *path, char *out, size_t size, size_t room)
{
	if (size > room)
		abort();
	return shim_readlink(path, out, size);
}

int own_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const void *data)
{
	return shim_mount(source, target, type, flags, data);
}
