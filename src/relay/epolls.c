/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The application's epoll instances watch files, not descriptors: when a descriptor becomes
 * another file, what they have of it must move along. The kernel tells what they watch
 * (/proc/self/fdinfo, see proc(5)).
 */
#include "relay/relay.h"

#include "base/os.h"
#include "map/witness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define FDINFO_MAX (1u << 20)

struct epolls {
	struct epolls *next;
	int epoll;
	struct epoll_event event;
};

static bool is_epoll(int fd)
{
	char path[32], target[32];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	return !strcmp(target, "anon_inode:[eventpoll]");
}

/* "tfd: 5 events: 19 data: 5 ...": what the instance has of the descriptor. */
static bool read_line(const char *text, int fd, struct epoll_event *out)
{
	unsigned long long data;
	unsigned int events;
	int target;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "tfd: %d events: %x data: %llx", &target, &events, &data) !=
			    3 ||
		    target != fd)
			continue;
		*out = (struct epoll_event){.events = events, .data.u64 = data};
		return true;
	}
	return false;
}

static bool has(int epoll, int fd, struct epoll_event *out)
{
	char path[40], *text;
	size_t size;
	bool found;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	if (os_read_file(path, FDINFO_MAX, &text, &size))
		return false;
	found = read_line(text, fd, out);
	free(text);
	return found;
}

static struct epolls *take(int epoll, int fd, struct epolls *next)
{
	struct epolls *taken;
	struct epoll_event event;

	if (!is_epoll(epoll) || !has(epoll, fd, &event) || event.data.u64 == WITNESS_MARK)
		return next;
	taken = malloc(sizeof(*taken));
	if (!taken)
		return next;
	*taken = (struct epolls){.next = next, .epoll = epoll, .event = event};
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	return taken;
}

struct epolls *epolls_take(int fd)
{
	DIR *directory = opendir("/proc/self/fd");
	struct epolls *taken = NULL;
	const struct dirent *entry;

	if (!directory)
		return NULL;
	while ((entry = readdir(directory)))
		taken = take(atoi(entry->d_name), fd, taken);
	closedir(directory);
	return taken;
}

void epolls_put_back(struct epolls *epolls, int fd)
{
	while (epolls) {
		struct epolls *next = epolls->next;

		epoll_ctl(epolls->epoll, EPOLL_CTL_ADD, fd, &epolls->event);
		free(epolls);
		epolls = next;
	}
}
