/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs do with messages that sockets are to send. */
#include "helper/message.h"

#include "helper/body.h"

#include <errno.h>
#include <string.h>

HELPER_BODY(msg_apply_bytes)
{
	((struct message_ctx *)u64_to_ptr(r1))->apply_bytes = (u32)r2;
	return 0;
}

HELPER_BODY(msg_cork_bytes)
{
	((struct message_ctx *)u64_to_ptr(r1))->cork_bytes = (u32)r2;
	return 0;
}

/* Bytes that are in direct reach: from `start` to `end`. */
HELPER_BODY(msg_pull_data)
{
	struct message_ctx *message = u64_to_ptr(r1);
	const u32 start = (u32)r2, end = (u32)r3;

	if (r4 || end <= start || end > message->md.size)
		return -EINVAL;
	message->md.data = message->data + start;
	message->md.data_end = message->data + end;
	return 0;
}

HELPER_BODY(msg_push_data)
{
	struct message_ctx *message = u64_to_ptr(r1);
	const u32 start = (u32)r2, bytes = (u32)r3;
	u8 *at = message->data + start;

	if (r4)
		return -EINVAL;
	if (!bytes)
		return 0;
	if (start > message->md.size)
		return -EINVAL;
	if (bytes > (u32)(message->limit - message->end))
		return -ENOMEM;
	memmove(at + bytes, at, (size_t)(message->end - at));
	memset(at, 0, bytes);
	message->end += bytes;
	message_show(message);
	return 0;
}

HELPER_BODY(msg_pop_data)
{
	struct message_ctx *message = u64_to_ptr(r1);
	const u32 start = (u32)r2, bytes = (u32)r3;
	u8 *at = message->data + start;

	if (r4 || (u64)start + bytes > message->md.size)
		return -EINVAL;
	memmove(at, at + bytes, (size_t)(message->end - at) - bytes);
	message->end -= bytes;
	message_show(message);
	return 0;
}
