/* SPDX-License-Identifier: BSD-2-Clause */
/* A control group of the test's own, and calls on sockets that it is asked about. */
#ifndef SKEP_TESTS_CGROUP_GROUPS_H
#define SKEP_TESTS_CGROUP_GROUPS_H

#include "tests/sys/programs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <skep/socket.h>
#include <sys/socket.h>
#include <sys/stat.h>

static inline const char *mount_point(void)
{
	return access("/sys/fs/cgroup/unified", F_OK) ? "/sys/fs/cgroup"
						      : "/sys/fs/cgroup/unified";
}

static inline bool move_to(const char *group)
{
	char file[160], pid[16];
	int fd, length = snprintf(pid, sizeof(pid), "%d", getpid());
	bool ok;

	snprintf(file, sizeof(file), "%s/cgroup.procs", group);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, pid, (size_t)length) == length;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* A group, and one below it, in which the process is. */
struct nest {
	char outer_path[128], inner_path[144];
	int outer, inner;
};

static inline struct nest enter_groups(void)
{
	struct nest nest;

	snprintf(nest.outer_path, sizeof(nest.outer_path), "%s/skep-group-%d", mount_point(),
		 getpid());
	snprintf(nest.inner_path, sizeof(nest.inner_path), "%s/inner", nest.outer_path);
	mkdir(nest.outer_path, 0700);
	mkdir(nest.inner_path, 0700);
	nest.outer = open(nest.outer_path, O_RDONLY | O_CLOEXEC);
	nest.inner = open(nest.inner_path, O_RDONLY | O_CLOEXEC);
	assert_true(move_to(nest.inner_path));
	return nest;
}

static inline void leave_groups(struct nest *nest)
{
	move_to(mount_point());
	close(nest->outer);
	close(nest->inner);
	rmdir(nest->inner_path);
	rmdir(nest->outer_path);
}

/* Whether the test may make groups. */
static inline bool has_groups(void)
{
	char path[128];
	bool ok;

	snprintf(path, sizeof(path), "%s/skep-may-%d", mount_point(), getpid());
	ok = !mkdir(path, 0700) && move_to(path) && move_to(mount_point());
	rmdir(path);
	return ok;
}

/* --- bpf(2) --- */

static inline int group_attach(struct world *world, int prog, int group, u32 type, u32 flags)
{
	union bpf_attr attr = {.target_fd = group,
			       .attach_bpf_fd = prog,
			       .attach_type = type,
			       .attach_flags = flags};

	return bpf(world, BPF_PROG_ATTACH, &attr);
}

static inline int group_replace(struct world *world, int prog, int group, u32 type, int old)
{
	union bpf_attr attr = {.target_fd = group,
			       .attach_bpf_fd = prog,
			       .attach_type = type,
			       .attach_flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE,
			       .replace_bpf_fd = old};

	return bpf(world, BPF_PROG_ATTACH, &attr);
}

static inline int group_detach(struct world *world, int prog, int group, u32 type)
{
	union bpf_attr attr = {.target_fd = group, .attach_bpf_fd = prog, .attach_type = type};

	return bpf(world, BPF_PROG_DETACH, &attr);
}

static inline int group_link(struct world *world, int prog, int group, u32 type)
{
	union bpf_attr attr = {
		.link_create = {.prog_fd = prog, .target_fd = group, .attach_type = type}};

	return bpf(world, BPF_LINK_CREATE, &attr);
}

/* --- calls: in the engine's world through it; a result or a negative errno --- */

static inline int told(int ret)
{
	return ret < 0 ? -errno : ret;
}

static inline int do_socket(struct world *world, int domain, int type)
{
	return world->engine ? skep_socket_create(world->engine, domain, type, 0)
			     : told(socket(domain, type, 0));
}

static inline int do_bind(struct world *world, int fd, const void *address, socklen_t size)
{
	return world->engine ? skep_socket_bind(world->engine, fd, address, size)
			     : told(bind(fd, address, size));
}

static inline int do_connect(struct world *world, int fd, const void *address, socklen_t size)
{
	return world->engine ? skep_socket_connect(world->engine, fd, address, size)
			     : told(connect(fd, address, size));
}

static inline int do_listen(struct world *world, int fd)
{
	return world->engine ? skep_socket_listen(world->engine, fd, 4) : told(listen(fd, 4));
}

static inline int do_accept(struct world *world, int fd)
{
	return world->engine ? skep_socket_accept(world->engine, fd, NULL, NULL, SOCK_CLOEXEC)
			     : told(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

static inline int do_shutdown(struct world *world, int fd, int how)
{
	return world->engine ? skep_socket_shutdown(world->engine, fd, how)
			     : told(shutdown(fd, how));
}

static inline int do_name(struct world *world, int fd, void *address, socklen_t *size,
			  bool is_peer)
{
	if (world->engine)
		return is_peer ? skep_socket_getpeername(world->engine, fd, address, size)
			       : skep_socket_getsockname(world->engine, fd, address, size);
	return told(is_peer ? getpeername(fd, address, size) : getsockname(fd, address, size));
}

static inline int do_getsockopt(struct world *world, int fd, int level, int name, void *value,
				socklen_t *size)
{
	return world->engine
		       ? skep_socket_getsockopt(world->engine, fd, level, name, value, size)
		       : told(getsockopt(fd, level, name, value, size));
}

static inline int do_setsockopt(struct world *world, int fd, int level, int name,
				const void *value, socklen_t size)
{
	return world->engine
		       ? skep_socket_setsockopt(world->engine, fd, level, name, value, size)
		       : told(setsockopt(fd, level, name, value, size));
}

static inline long do_sendmsg(struct world *world, int fd, const struct msghdr *message)
{
	return world->engine ? skep_socket_sendmsg(world->engine, fd, message, 0)
			     : told((int)sendmsg(fd, message, 0));
}

static inline long do_recvmsg(struct world *world, int fd, struct msghdr *message)
{
	return world->engine ? skep_socket_recvmsg(world->engine, fd, message, 0)
			     : told((int)recvmsg(fd, message, 0));
}

/* --- addresses of the loopback device --- */

static inline struct sockaddr_in here(u16 port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline struct sockaddr_in6 here6(u16 port)
{
	return (struct sockaddr_in6){.sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT};
}

/* The port of a socket that is bound to any, without asking programs. */
static inline u16 port_of(int fd)
{
	struct sockaddr_in6 name = {};
	socklen_t size = sizeof(name);

	assert_int_equal(getsockname(fd, (void *)&name, &size), 0);
	return ntohs(name.sin6_port);
}

static inline int listen_here(int family)
{
	const struct sockaddr_in address = here(0);
	const struct sockaddr_in6 address6 = here6(0);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET)
		assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	else
		assert_int_equal(bind(fd, (void *)&address6, sizeof(address6)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

#endif
