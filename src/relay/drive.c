/* SPDX-License-Identifier: BSD-2-Clause */
/* The application's descriptors of a socket become one end of a pair, and the socket again. */
#include "relay/relay.h"

#include "map/socket_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The application expects its own descriptors to be the lowest. */
#define FIRST_DESCRIPTOR 256

static int copy_of(int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);

	return copy >= 0 ? copy : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* A descriptor of its own for the one that is moved up there; -1: none. */
static int move_up(int fd)
{
	const int copy = copy_of(fd);

	close(fd);
	return copy;
}

static void copy_option(int from, int to, int name)
{
	struct timeval value;
	socklen_t size = sizeof(value);

	if (!getsockopt(from, SOL_SOCKET, name, &value, &size))
		setsockopt(to, SOL_SOCKET, name, &value, size);
}

/* What of the socket concerns those who wait for it. */
static void copy_options(int from, int to)
{
	copy_option(from, to, SO_RCVTIMEO);
	copy_option(from, to, SO_SNDTIMEO);
	copy_option(from, to, SO_RCVLOWAT);
	if (fcntl(from, F_GETFL) & O_NONBLOCK)
		fcntl(to, F_SETFL, O_NONBLOCK);
}

static bool is_same_file(int fd, const struct stat *as)
{
	struct stat status;

	return !fstat(fd, &status) && status.st_ino == as->st_ino &&
	       status.st_dev == as->st_dev;
}

static void replace_one(int fd, int by)
{
	const int flags = fcntl(fd, F_GETFD);
	struct epolls *epolls = epolls_take(fd);

	dup3(by, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	epolls_put_back(epolls, fd);
}

/* All descriptors of the file but `by` and `except` become `by`. */
static void replace_all(const struct stat *file, int by, int except)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		const int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != by && fd != except &&
		    fd != dirfd(directory) && is_same_file(fd, file))
			replace_one(fd, by);
	}
	closedir(directory);
}

/* With the socket and the pair: from here on nothing fails. */
static void take_over(struct relay *relay, int theirs)
{
	struct stat file, end;

	fstat(relay->socket, &file);
	fstat(theirs, &end);
	relay->device = end.st_dev;
	relay->inode = end.st_ino;
	copy_options(relay->socket, theirs);
	outlet_init(&relay->to_application, relay->relays, relay->end);
	outlet_init(&relay->to_socket, relay->relays, relay->socket);
	relay->is_driven = true;
	relay_get(relay);
	cds_list_add(&relay->by_end, &relay->relays->driven);
	atomic_fetch_add(&relay->relays->driven_cnt, 1);
	replace_all(&file, theirs, relay->socket);
}

/* Packets keep their bounds, and the end of the last descriptor is seen, in a SOCK_SEQPACKET
 * pair. */
static int open_pair(struct relay *relay, int *theirs)
{
	const int type = relay->is_stream ? SOCK_STREAM : SOCK_SEQPACKET;
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair))
		return -errno;
	relay->end = move_up(pair[0]);
	*theirs = move_up(pair[1]);
	return relay->end < 0 || *theirs < 0 ? -EMFILE : 0;
}

static void close_ends(struct relay *relay)
{
	if (relay->socket >= 0)
		close(relay->socket);
	if (relay->end >= 0)
		close(relay->end);
	relay->socket = relay->end = -1;
}

static int open_ends(struct relay *relay, int fd, int *theirs)
{
	int err;

	relay->socket = copy_of(fd);
	if (relay->socket < 0)
		return -errno;
	/* The descriptor may have been closed, and be something else now. */
	if (!socket_is(relay->socket, &relay->sk))
		return -EBADF;
	err = open_pair(relay, theirs);
	return err ?: pump_start(relay->relays) ?: pump_watch(relay);
}

int relay_drive(struct relay *relay, int fd)
{
	int theirs = -1, err;

	if (relay->is_driven)
		return 0;
	err = open_ends(relay, fd, &theirs);
	if (err)
		close_ends(relay);
	else
		take_over(relay, theirs);
	if (theirs >= 0)
		close(theirs);
	if (!err)
		relay_wake(relay);
	return err;
}

/* What the application had written goes on its way first. */
static void send_rest(struct relay *relay)
{
	u8 bytes[4096];
	ssize_t length;

	while ((length = recv(relay->end, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		outlet_copy(&relay->to_socket, NULL, bytes, (u32)length);
	outlet_flush(&relay->to_socket);
}

void relay_give_back(struct relay *relay)
{
	const struct stat end = {.st_dev = relay->device, .st_ino = relay->inode};

	if (!relay->is_driven)
		return;
	send_rest(relay);
	replace_all(&end, relay->socket, relay->end);
	relay_end(relay);
}
