/* SPDX-License-Identifier: BSD-2-Clause */
#include "device/channel.h"

#include "base/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define PARTS_MAX 3
#define BACKLOG	  16

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} at;
	socklen_t size;
};

static int refuse(const char *text, int code, struct skep_error *err, const char *why)
{
	return error_set(err, SKEP_STAGE_PORT, code, "device '%s': %s", text, why);
}

static int parse_unix(const char *text, struct address *out, struct skep_error *err)
{
	const char *path = text + strlen("unix:");

	out->at.un.sun_family = AF_UNIX;
	if (!*path || strlen(path) >= sizeof(out->at.un.sun_path))
		return refuse(text, -EINVAL, err, "expected a path of at most 107 characters");
	strcpy(out->at.un.sun_path, path);
	out->size = sizeof(out->at.un);
	return 0;
}

/* "HOST:PORT": cuts it in two. */
static bool split(char *host, char **port)
{
	char *colon = strrchr(host, ':');

	if (!colon || colon == host || !colon[1])
		return false;
	*colon = '\0';
	*port = colon + 1;
	if (*host == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	return true;
}

static int parse_tcp(const char *text, bool listens, struct address *out,
		     struct skep_error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = listens ? AI_PASSIVE : 0};
	char *host = strdup(text + strlen("tcp:")), *port = NULL;
	struct addrinfo *found = NULL;
	int code = 0;

	if (!host)
		return refuse(text, -ENOMEM, err, "out of memory");
	if (!split(host, &port))
		code = refuse(text, -EINVAL, err, "expected tcp:HOST:PORT");
	else if ((code = getaddrinfo(host, port, &hints, &found)))
		code = refuse(text, -EHOSTUNREACH, err, gai_strerror(code));
	free(host);
	if (code)
		return code;
	memcpy(&out->at, found->ai_addr, found->ai_addrlen);
	out->size = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int parse(const char *text, bool listens, struct address *out, struct skep_error *err)
{
	memset(out, 0, sizeof(*out));
	if (!strncmp(text, "unix:", 5))
		return parse_unix(text, out, err);
	if (!strncmp(text, "tcp:", 4))
		return parse_tcp(text, listens, out, err);
	return refuse(text, -EINVAL, err, "expected unix:PATH or tcp:HOST:PORT");
}

static int new_socket(const char *text, const struct address *address, struct skep_error *err)
{
	const int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return refuse(text, -errno, err, strerror(errno));
	if (address->at.any.sa_family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	return fd;
}

static int close_refused(const char *text, int fd, struct skep_error *err)
{
	const int code = -errno;

	close(fd);
	return refuse(text, code, err, strerror(-code));
}

int channel_connect(const char *text, struct skep_error *err)
{
	struct address address;
	int fd = parse(text, false, &address, err);

	if (!fd)
		fd = new_socket(text, &address, err);
	if (fd >= 0 && connect(fd, &address.at.any, address.size)) {
		fd = close_refused(text, fd, err);
		error_hint(err, "start it with `skep device --listen %s --on PORT`", text);
	}
	return fd;
}

/* What a device that did not end well has left: a socket at which nobody listens. */
static void remove_stale(const struct address *address)
{
	struct stat status;
	int fd;

	if (address->at.any.sa_family != AF_UNIX || lstat(address->at.un.sun_path, &status) ||
	    !S_ISSOCK(status.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &address->at.any, address->size) && errno == ECONNREFUSED)
		unlink(address->at.un.sun_path);
	if (fd >= 0)
		close(fd);
}

int channel_listen(const char *text, struct skep_error *err)
{
	struct address address;
	int fd = parse(text, true, &address, err);

	if (fd)
		return fd;
	fd = new_socket(text, &address, err);
	if (fd < 0)
		return fd;
	remove_stale(&address);
	if (bind(fd, &address.at.any, address.size) || listen(fd, BACKLOG))
		return close_refused(text, fd, err);
	return fd;
}

void channel_forget(const char *text)
{
	if (!strncmp(text, "unix:", 5))
		unlink(text + 5);
}

int channel_send(int fd, u32 type, const struct channel_part *parts, u32 count)
{
	struct device_frame frame = {.type = type};
	struct iovec vectors[PARTS_MAX + 1] = {{&frame, sizeof(frame)}}, *at = vectors;
	size_t left = sizeof(frame);

	for (u32 i = 0; i < count; i++) {
		vectors[i + 1] = (struct iovec){(void *)parts[i].bytes, parts[i].size};
		frame.length += parts[i].size;
		left += parts[i].size;
	}
	while (left) {
		const struct msghdr message = {.msg_iov = at,
					       .msg_iovlen = vectors + count + 1 - at};
		ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE ? -ECONNRESET : -errno;
		left -= sent;
		for (; left && (size_t)sent >= at->iov_len; at++)
			sent -= at->iov_len;
		at->iov_base = (u8 *)at->iov_base + sent;
		at->iov_len -= sent;
	}
	return 0;
}

int channel_receive(int fd, void *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t got = recv(fd, (u8 *)bytes + at, size - at, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ECONNRESET;
		at += got;
	}
	return 0;
}
