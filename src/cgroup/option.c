/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of sockets: programs see and change values, and may answer in the kernel's place. */
#include "cgroup/group.h"
#include "cgroup/sockets.h"
#include "helper/run_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096 /* Linux: a page; programs see no more of a value */
#define LONGER	  16   /* to which programs may always lengthen one that is set */
#define DONE	  (-1) /* a program's optlen: the kernel need not be asked */

struct asked {
	struct bpf_sockopt ctx;
	struct sock_ctx sk;
	struct group_call call;
	u8 *value; /* owned */
	s32 room;
};

/* What a program wrote into the context is what the next one, and the caller, are told. */
static void after_run(struct group_call *call, struct run_context *run)
{
	struct bpf_sockopt *ctx = call->ctx;

	if (ctx->retval != call->retval)
		run->event.retval = ctx->retval;
	ctx->retval = run->event.retval;
}

/* False: no program is to be asked. */
static bool begin(struct asked *asked, struct groups *groups, enum bpf_attach_type type, int fd,
		  s32 length)
{
	*asked = (struct asked){};
	if (!groups_use(groups, type) || length < 0 || !group_describe(fd, &asked->sk))
		return false;
	if (type == BPF_CGROUP_SETSOCKOPT)
		length = max(length, LONGER);
	asked->room = min(length, VALUE_MAX);
	asked->value = calloc(1, (size_t)asked->room + 1);
	if (!asked->value)
		return false;
	asked->ctx.sk = &asked->sk.view;
	asked->ctx.optval = asked->value;
	asked->ctx.optval_end = asked->value + asked->room;
	asked->call = (struct group_call){.type = type,
					  .ctx = &asked->ctx,
					  .sk = &asked->sk,
					  .fd = fd,
					  .memory = asked->value,
					  .size = (size_t)asked->room,
					  .after = after_run};
	return true;
}

/* What becomes of the call: 0: the kernel gets what the context says, 1: it is done. */
static int judge_set(const struct asked *asked, s32 length)
{
	const s32 said = asked->ctx.optlen;

	if (said == DONE)
		return 1;
	if (said > asked->room || said < DONE)
		/* Of a longer value programs saw the beginning only, and may leave it. */
		return length > VALUE_MAX && said == length ? 0 : -EFAULT;
	return 0;
}

static int set(const struct asked *asked, int fd, const void *value, socklen_t size)
{
	const s32 said = asked->ctx.optlen;
	const bool is_own = said && said <= asked->room;

	return setsockopt(fd, asked->ctx.level, asked->ctx.optname,
			  is_own ? asked->value : value, is_own ? (socklen_t)said : size)
		       ? -errno
		       : 0;
}

int groups_setsockopt(struct groups *groups, int fd, int level, int name, const void *value,
		      socklen_t size)
{
	struct asked asked;
	int ret;

	if (!begin(&asked, groups, BPF_CGROUP_SETSOCKOPT, fd, (s32)size))
		return setsockopt(fd, level, name, value, size) ? -errno : 0;
	asked.ctx.level = level;
	asked.ctx.optname = name;
	asked.ctx.optlen = (s32)size;
	memcpy(asked.value, value, min(size, (socklen_t)asked.room));
	ret = group_run(groups, &asked.call) ?: judge_set(&asked, (s32)size);
	if (!ret)
		ret = set(&asked, fd, value, size);
	free(asked.value);
	return min(ret, 0);
}

/* What the programs leave of the kernel's answer. */
static int judge_get(struct asked *asked, void *value, socklen_t length, socklen_t *size)
{
	const s32 said = asked->ctx.optlen;

	if (said > (s32)length || said > asked->room || said < 0)
		return -EFAULT;
	if (said)
		memcpy(value, asked->value, (size_t)said);
	*size = (socklen_t)said;
	return asked->call.retval;
}

int groups_getsockopt(struct groups *groups, int fd, int level, int name, void *value,
		      socklen_t *size)
{
	struct asked asked;
	socklen_t length;
	int ret;

	if (!value || !size || !begin(&asked, groups, BPF_CGROUP_GETSOCKOPT, fd, (s32)*size))
		return getsockopt(fd, level, name, value, size) ? -errno : 0;
	length = *size;
	asked.call.retval = getsockopt(fd, level, name, value, size) ? -errno : 0;
	if (asked.call.retval)
		*size = length;
	asked.ctx = (struct bpf_sockopt){.sk = asked.ctx.sk,
					 .optval = asked.ctx.optval,
					 .optval_end = asked.ctx.optval_end,
					 .level = level,
					 .optname = name,
					 .optlen = (s32)*size,
					 .retval = asked.call.retval};
	if (!asked.call.retval)
		memcpy(asked.value, value, min(*size, (socklen_t)asked.room));
	ret = group_run(groups, &asked.call) ?: judge_get(&asked, value, length, size);
	free(asked.value);
	return ret;
}
