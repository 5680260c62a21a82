/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/descriptor.h"

#include "map/map.h"
#include "map/perf_event.h"
#include "sys/engine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file that user space holds. Copies made by user space share it. */
struct descriptor {
	struct cds_list_head bucket;	   /* or in a list of the dead */
	struct cds_list_head special;	   /* in memfds or pollables, or alone */
	struct descriptor *next_of_object; /* from object->descriptors */
	struct object *object;		   /* reference */
	dev_t device;
	ino_t inode;
	int engine_fd; /* write end of the pipe, or a writable open file of the memfd */
	u32 mode;      /* enum descriptor_mode */
	bool is_memfd;
	bool is_readable; /* the pipe holds its one byte */
};

bool descriptor_mode_of_flags(u32 flags, u32 *mode)
{
	const u32 both = BPF_F_RDONLY | BPF_F_WRONLY;

	if ((flags & ~both) || flags == both)
		return false;
	*mode = DESCRIPTOR_RDWR;
	if (flags)
		*mode = flags == BPF_F_RDONLY ? DESCRIPTOR_READ : DESCRIPTOR_WRITE;
	return true;
}

int descriptors_init(struct descriptor_table *table)
{
	for (u32 i = 0; i < DESCRIPTOR_BUCKETS; i++)
		CDS_INIT_LIST_HEAD(&table->buckets[i]);
	CDS_INIT_LIST_HEAD(&table->memfds);
	CDS_INIT_LIST_HEAD(&table->pollables);
	table->owner = getpid();
	table->epoll = epoll_create1(EPOLL_CLOEXEC);
	return table->epoll < 0 ? -errno : 0;
}

static int watch(struct descriptor_table *table, struct descriptor *descriptor)
{
	struct epoll_event event = {.data.ptr = descriptor};

	return epoll_ctl(table->epoll, EPOLL_CTL_ADD, descriptor->engine_fd, &event) ? -errno
										     : 0;
}

/* A forked process shares its parent's epoll instance, whose events would be about memory of
 * either: it makes one of its own. */
static int ensure_own_epoll(struct descriptor_table *table)
{
	struct descriptor *descriptor;
	pid_t self = getpid();
	int epoll, ret = 0;

	if (table->owner == self)
		return 0;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return -errno;
	close(table->epoll);
	table->epoll = epoll;
	table->owner = self;
	for (u32 i = 0; i < DESCRIPTOR_BUCKETS; i++)
		cds_list_for_each_entry (descriptor, &table->buckets[i], bucket)
			if (!descriptor->is_memfd && !ret)
				ret = watch(table, descriptor);
	return ret;
}

static struct descriptor *find(struct descriptor_table *table, int fd)
{
	struct descriptor *descriptor;
	struct stat status;

	if (fstat(fd, &status))
		return NULL;
	cds_list_for_each_entry (descriptor,
				 &table->buckets[status.st_ino % DESCRIPTOR_BUCKETS], bucket)
		if (descriptor->inode == status.st_ino && descriptor->device == status.st_dev)
			return descriptor;
	return NULL;
}

/* --- what poll() says --- */

static void set_readable(struct descriptor *descriptor)
{
	if (!descriptor->is_readable)
		descriptor->is_readable = write(descriptor->engine_fd, "", 1) == 1;
}

static bool has_data(const struct object *object)
{
	if (object->kind == OBJECT_PERF_EVENT)
		return perf_event_is_readable(container_of(object, struct perf_event, object));
	return map_is_readable(container_of(object, struct map, object));
}

/* Takes the byte out again. The pipe's read end is the user's: reached through the inode. */
static void set_unreadable(struct descriptor *descriptor)
{
	char path[32], byte;
	int fd;

	if (!descriptor->is_readable)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor->engine_fd);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Nothing to read: a forked process took it. */
	descriptor->is_readable = read(fd, &byte, 1) < 0 && errno != EAGAIN;
	close(fd);
}

static void refresh(struct descriptor *descriptor)
{
	if (has_data(descriptor->object))
		set_readable(descriptor);
	else
		set_unreadable(descriptor);
}

/* --- opening --- */

static bool is_pollable(const struct object *object)
{
	return object->kind == OBJECT_PERF_EVENT ||
	       (object->kind == OBJECT_MAP &&
		container_of(object, struct map, object)->desc.type == BPF_MAP_TYPE_RINGBUF);
}

static void wake(struct object *object)
{
	struct skep_engine *engine = object->engine;

	pthread_mutex_lock(&engine->lock);
	for (struct descriptor *at = object->descriptors; at; at = at->next_of_object)
		set_readable(at);
	pthread_mutex_unlock(&engine->lock);
}

static void insert(struct skep_engine *engine, struct descriptor *descriptor)
{
	struct descriptor_table *table = &engine->descriptors;
	struct object *object = descriptor->object;

	cds_list_add(&descriptor->bucket,
		     &table->buckets[descriptor->inode % DESCRIPTOR_BUCKETS]);
	CDS_INIT_LIST_HEAD(&descriptor->special);
	if (descriptor->is_memfd)
		cds_list_add(&descriptor->special, &table->memfds);
	if (is_pollable(object)) {
		cds_list_add(&descriptor->special, &table->pollables);
		object->engine = engine;
		object->wake = wake;
	}
	descriptor->next_of_object = object->descriptors;
	object->descriptors = descriptor;
	if (is_pollable(object))
		refresh(descriptor);
	atomic_fetch_add_explicit(&object->users, 1, memory_order_relaxed);
}

static void remove_descriptor(struct descriptor *descriptor)
{
	struct descriptor **at = &descriptor->object->descriptors;

	while (*at != descriptor)
		at = &(*at)->next_of_object;
	*at = descriptor->next_of_object;
	cds_list_del(&descriptor->special);
	cds_list_del(&descriptor->bucket);
}

/* Registers the files; on failure the caller closes both. */
static int add(struct skep_engine *engine, struct object *object, u32 mode, int engine_fd,
	       bool is_memfd)
{
	struct descriptor *descriptor = calloc(1, sizeof(*descriptor));
	struct stat status;
	int ret;

	if (!descriptor)
		return -ENOMEM;
	descriptor->engine_fd = engine_fd;
	ret = fstat(engine_fd, &status) ? -errno : ensure_own_epoll(&engine->descriptors);
	if (!ret && !is_memfd)
		ret = watch(&engine->descriptors, descriptor);
	if (ret) {
		free(descriptor);
		return ret;
	}
	descriptor->object = object_get(object);
	descriptor->device = status.st_dev;
	descriptor->inode = status.st_ino;
	descriptor->mode = mode;
	descriptor->is_memfd = is_memfd;
	insert(engine, descriptor);
	return 0;
}

static int open_pipe(struct skep_engine *engine, struct object *object, u32 mode)
{
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	/* One page: room for the wake-up byte, and little of the user's quota of pipe pages. */
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	pthread_mutex_lock(&engine->lock);
	ret = add(engine, object, mode, ends[1], false);
	pthread_mutex_unlock(&engine->lock);
	if (!ret)
		return ends[0];
	close(ends[0]);
	close(ends[1]);
	return ret;
}

/* Another open file of the same inode; only such opens count as writers. */
static int reopen(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool has_memfd(const struct object *object)
{
	const struct descriptor *descriptor = object->descriptors;

	while (descriptor && !descriptor->is_memfd)
		descriptor = descriptor->next_of_object;
	return descriptor;
}

/* The engine's own open file, which stands for all that user space gets. */
static int add_memfd(struct skep_engine *engine, struct object *object, int memfd)
{
	int engine_fd = reopen(memfd), ret;

	if (engine_fd < 0)
		return engine_fd;
	/* Who opens the file in the instant of the lease test must not kill us. */
	fcntl(engine_fd, F_SETSIG, SIGURG);
	ret = add(engine, object, DESCRIPTOR_RDWR, engine_fd, true);
	if (ret)
		close(engine_fd);
	return ret;
}

static int open_memfd(struct skep_engine *engine, struct object *object, int memfd)
{
	int user_fd, ret = 0;

	/* Under the lock, so that the reaper never sees the row without its user. */
	pthread_mutex_lock(&engine->lock);
	user_fd = reopen(memfd);
	if (user_fd >= 0 && !has_memfd(object))
		ret = add_memfd(engine, object, memfd);
	pthread_mutex_unlock(&engine->lock);
	if (!ret)
		return user_fd;
	close(user_fd);
	return ret;
}

int descriptor_open(struct skep_engine *engine, struct object *object, u32 mode)
{
	int fd = -1;

	if (object->kind == OBJECT_MAP && mode == DESCRIPTOR_RDWR)
		fd = map_of_object(object)->memfd;
	/* Without /proc the descriptor is a pipe: all works but a native mmap(). */
	if (fd >= 0)
		fd = open_memfd(engine, object, fd);
	return fd >= 0 ? fd : open_pipe(engine, object, mode);
}

/* --- finding --- */

struct object *descriptor_any(struct skep_engine *engine, int fd, u32 *mode, int *err)
{
	struct descriptor *descriptor;
	struct object *object = NULL;

	pthread_mutex_lock(&engine->lock);
	descriptor = find(&engine->descriptors, fd);
	if (descriptor) {
		object = object_get(descriptor->object);
		if (mode)
			*mode = descriptor->mode;
	} else {
		*err = fcntl(fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
	}
	pthread_mutex_unlock(&engine->lock);
	return object;
}

struct object *descriptor_object(struct skep_engine *engine, int fd, enum object_kind kind,
				 u32 *mode, int *err)
{
	struct object *object = descriptor_any(engine, fd, mode, err);

	if (!object || object->kind == kind)
		return object;
	object_put(object);
	*err = -EINVAL;
	return NULL;
}

/* --- noticing that user space closed --- */

static void free_list(struct cds_list_head *dead)
{
	struct descriptor *descriptor, *next;

	cds_list_for_each_entry_safe (descriptor, next, dead, bucket) {
		close(descriptor->engine_fd);
		engine_drop_user(descriptor->object);
		free(descriptor);
	}
}

static bool is_last_writer(int engine_fd)
{
	if (fcntl(engine_fd, F_SETLEASE, F_WRLCK))
		return false;
	fcntl(engine_fd, F_SETLEASE, F_UNLCK);
	return true;
}

static void take_dead_memfds(struct descriptor_table *table, struct cds_list_head *dead)
{
	struct descriptor *descriptor, *next;

	cds_list_for_each_entry_safe (descriptor, next, &table->memfds, special) {
		if (!is_last_writer(descriptor->engine_fd))
			continue;
		remove_descriptor(descriptor);
		cds_list_add(&descriptor->bucket, dead);
	}
}

/* Not epoll_wait(): in programs that turn libbpf's calls to an engine that one comes back here.
 */
static void take_dead_pipes(struct descriptor_table *table, struct cds_list_head *dead)
{
	struct epoll_event events[64];
	int count = ensure_own_epoll(table)
			    ? 0
			    : epoll_pwait(table->epoll, events, ARRAY_SIZE(events), 0, NULL);

	for (int i = 0; i < count; i++) {
		struct descriptor *descriptor = events[i].data.ptr;

		/* Closing is not enough when a forked process holds a copy. */
		epoll_ctl(table->epoll, EPOLL_CTL_DEL, descriptor->engine_fd, NULL);
		remove_descriptor(descriptor);
		cds_list_add(&descriptor->bucket, dead);
	}
}

void descriptors_reap(struct skep_engine *engine)
{
	struct cds_list_head dead;
	bool any;

	/* Again, because one round takes only so many. */
	do {
		CDS_INIT_LIST_HEAD(&dead);
		pthread_mutex_lock(&engine->lock);
		take_dead_pipes(&engine->descriptors, &dead);
		take_dead_memfds(&engine->descriptors, &dead);
		pthread_mutex_unlock(&engine->lock);
		any = !cds_list_empty(&dead);
		free_list(&dead);
	} while (any);
}

void descriptors_done(struct skep_engine *engine)
{
	struct descriptor_table *table = &engine->descriptors;
	struct descriptor *descriptor, *next;
	struct cds_list_head dead;

	CDS_INIT_LIST_HEAD(&dead);
	pthread_mutex_lock(&engine->lock);
	for (u32 i = 0; i < DESCRIPTOR_BUCKETS; i++)
		cds_list_for_each_entry_safe (descriptor, next, &table->buckets[i], bucket) {
			remove_descriptor(descriptor);
			descriptor->object->wake = NULL;
			cds_list_add(&descriptor->bucket, &dead);
		}
	pthread_mutex_unlock(&engine->lock);
	free_list(&dead);
	close(table->epoll);
}

void descriptors_refresh(struct skep_engine *engine)
{
	struct descriptor *descriptor;

	pthread_mutex_lock(&engine->lock);
	cds_list_for_each_entry (descriptor, &engine->descriptors.pollables, special)
		refresh(descriptor);
	pthread_mutex_unlock(&engine->lock);
}
