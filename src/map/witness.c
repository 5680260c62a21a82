/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/witness.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define STAT_MAX      4096
#define FDINFO_MAX    (64U << 20)
#define START_FIELD   22 /* of /proc/PID/stat */
#define COMM_FIELD    2	 /* may hold anything, between parentheses */
#define EVENTS_BUFFER 4096

void witnesses_init(struct witnesses *all)
{
	*all = (struct witnesses){.epoll = -1, .inotify = -1};
}

void witnesses_done(struct witnesses *all)
{
	if (all->epoll >= 0)
		close(all->epoll);
	if (all->inotify >= 0)
		close(all->inotify);
}

/* --- threads --- */

static u64 read_start_time(const char *path)
{
	char *text, *at;
	u64 time = 0;
	size_t size;

	if (os_read_file(path, STAT_MAX, &text, &size))
		return 0;
	at = strrchr(text, ')');
	for (u32 field = COMM_FIELD; at && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (at)
		time = strtoull(at + 1, NULL, 10);
	free(text);
	return time;
}

u64 thread_start_time(pid_t thread)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", thread);
	return read_start_time(path);
}

void witness_thread(struct witness *out, pid_t thread, u64 start_time)
{
	*out = (struct witness){.kind = WITNESS_THREAD, .thread = thread, .number = start_time};
}

/* --- files --- */

static int epoll_of(struct witnesses *all)
{
	if (all->epoll < 0)
		all->epoll = epoll_create1(EPOLL_CLOEXEC);
	return all->epoll;
}

static int inotify_of(struct witnesses *all)
{
	if (all->inotify < 0)
		all->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return all->inotify;
}

/* The device as the kernel has it inside, which is how fdinfo shows it. */
static u64 kernel_device(dev_t device)
{
	return (u64)major(device) << 20 | minor(device);
}

/* The fdinfo of the instance lists what it watches by descriptor and inode. */
static bool witness_epoll(struct witnesses *all, struct witness *out, int fd)
{
	struct epoll_event event = {.data.u64 = WITNESS_MARK};
	struct stat status;

	if (fstat(fd, &status) ||
	    (epoll_ctl(epoll_of(all), EPOLL_CTL_ADD, fd, &event) && errno != EEXIST))
		return false;
	*out = (struct witness){.kind = WITNESS_EPOLL,
				.id = {kernel_device(status.st_dev), status.st_ino}};
	return true;
}

void witness_file(struct witnesses *all, struct witness *out, int fd)
{
	char path[32];
	int watch;

	*out = (struct witness){};
	if (witness_epoll(all, out, fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	watch = inotify_add_watch(inotify_of(all), path, IN_DELETE_SELF);
	if (watch >= 0)
		*out = (struct witness){.kind = WITNESS_INOTIFY, .number = (u64)watch};
}

void witness_directory(struct witness *out, int fd)
{
	char path[32], name[PATH_MAX] = "";
	struct stat there, here;

	*out = (struct witness){};
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, name, sizeof(name) - 1) < 0 || fstat(fd, &here))
		return;
	/* Seen from here it may have another name, or none. */
	if (stat(name, &there) || there.st_ino != here.st_ino || there.st_dev != here.st_dev)
		return;
	*out = (struct witness){
		.kind = WITNESS_DIRECTORY, .number = here.st_ino, .path = strdup(name)};
	if (!out->path)
		out->kind = WITNESS_NONE;
}

void witness_done(struct witness *witness)
{
	free(witness->path);
}

/* --- a hearing --- */

static int compare(const void *a, const void *b)
{
	const struct witness_id *left = a, *right = b;

	if (left->device != right->device)
		return left->device < right->device ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

static bool list_add(struct witness_list *list, u64 device, u64 number)
{
	if (!list->count || is_power_of_two(list->count)) {
		size_t room = list->count ? list->count * 2ULL : 1;
		struct witness_id *grown = realloc(list->ids, room * sizeof(*grown));

		if (!grown)
			return false;
		list->ids = grown;
	}
	list->ids[list->count++] = (struct witness_id){device, number};
	return true;
}

static bool list_has(const struct witness_list *list, u64 device, u64 number)
{
	const struct witness_id id = {device, number};

	return list->count && bsearch(&id, list->ids, list->count, sizeof(id), compare);
}

static void list_sort(struct witness_list *list)
{
	if (list->count)
		qsort(list->ids, list->count, sizeof(*list->ids), compare);
}

static void list_done(struct witness_list *list)
{
	free(list->ids);
	*list = (struct witness_list){};
}

/* "tfd: 5 events: 19 data: ffff pos:0 ino:2a sdev:8" */
static bool read_watched(struct witness_list *list, const char *text)
{
	for (const char *at = text; (at = strstr(at, " ino:")); at++) {
		const char *device = strstr(at, " sdev:");

		if (!device || !list_add(list, strtoull(device + strlen(" sdev:"), NULL, 16),
					 strtoull(at + strlen(" ino:"), NULL, 16)))
			return false;
	}
	return true;
}

static void hear_epoll(struct witnesses *all)
{
	char path[40], *text;
	size_t size;

	if (all->epoll < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", all->epoll);
	if (os_read_file(path, FDINFO_MAX, &text, &size))
		return;
	all->alive.is_complete = read_watched(&all->alive, text);
	free(text);
}

/* What there is no memory for, or what was lost because there was too much, stays. */
static void hear_inotify(struct witnesses *all)
{
	_Alignas(struct inotify_event) char buffer[EVENTS_BUFFER];
	ssize_t size;

	if (all->inotify < 0)
		return;
	while ((size = read(all->inotify, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + size;) {
			const struct inotify_event *event = (const void *)at;

			list_add(&all->dead, 0, (u64)event->wd);
			at += sizeof(*event) + event->len;
		}
}

void witnesses_begin(struct witnesses *all)
{
	hear_epoll(all);
	hear_inotify(all);
	list_sort(&all->alive);
	list_sort(&all->dead);
}

void witnesses_end(struct witnesses *all)
{
	list_done(&all->alive);
	list_done(&all->dead);
}

static bool is_directory(const struct witness *witness)
{
	struct stat status;

	return !stat(witness->path, &status) && status.st_ino == witness->number;
}

bool witness_says_gone(const struct witnesses *all, const struct witness *witness)
{
	switch (witness->kind) {
	case WITNESS_NONE: return false;
	case WITNESS_THREAD: return thread_start_time(witness->thread) != witness->number;
	case WITNESS_EPOLL:
		return all->alive.is_complete &&
		       !list_has(&all->alive, witness->id.device, witness->id.number);
	case WITNESS_INOTIFY: return list_has(&all->dead, 0, witness->number);
	case WITNESS_DIRECTORY: return !is_directory(witness);
	}
	return false;
}
