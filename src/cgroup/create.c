/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that are made or bound: programs may refuse them, and say of new ones how they send.
 */
#include "cgroup/group.h"
#include "cgroup/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

/* What the program's context is: the socket's view itself. */
static int ask(struct groups *groups, enum bpf_attach_type type, int fd, struct sock_ctx *sk)
{
	struct group_call call = {.type = type, .ctx = &sk->view, .sk = sk, .fd = fd};

	return group_run(groups, &call);
}

static void set(int fd, int name, u32 value, u32 before)
{
	if (value != before)
		setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

int groups_socket(struct groups *groups, int domain, int type, int protocol)
{
	const int fd = socket(domain, type, protocol);
	struct sock_ctx sk;
	struct bpf_sock before;
	int ret;

	if (fd < 0)
		return -errno;
	if ((domain != AF_INET && domain != AF_INET6) ||
	    !groups_use(groups, BPF_CGROUP_INET_SOCK_CREATE) || !group_describe(fd, &sk))
		return fd;
	before = sk.view;
	ret = ask(groups, BPF_CGROUP_INET_SOCK_CREATE, fd, &sk);
	if (ret) {
		close(fd);
		return ret;
	}
	set(fd, SO_MARK, sk.view.mark, before.mark);
	set(fd, SO_PRIORITY, sk.view.priority, before.priority);
	set(fd, SO_BINDTOIFINDEX, sk.view.bound_dev_if, before.bound_dev_if);
	return fd;
}

int create_bound(struct groups *groups, int fd)
{
	enum bpf_attach_type type;
	struct sock_ctx sk;

	if (!group_describe(fd, &sk))
		return 0;
	type = sk.view.family == AF_INET ? BPF_CGROUP_INET4_POST_BIND
					 : BPF_CGROUP_INET6_POST_BIND;
	return groups_use(groups, type) ? ask(groups, type, fd, &sk) : 0;
}
