/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay/relays.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/socket.h>

int skep_socket_fd(struct skep_engine *engine, int fd)
{
	return relays_real(engine->relays, fd);
}

ssize_t skep_socket_sendmsg(struct skep_engine *engine, int fd, const struct msghdr *message,
			    int flags)
{
	size_t sent;
	ssize_t ret = relays_send(engine->relays, fd, message, flags, &sent);

	if (ret == RELAY_FOREIGN) {
		ret = sendmsg(fd, message, flags);
		return ret < 0 ? -errno : ret;
	}
	return ret ? ret : (ssize_t)sent;
}
