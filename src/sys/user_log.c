/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/user_log.h"

#include <errno.h>

#define LOG_FIXED    8u	 /* BPF_LOG_FIXED */
#define LOG_ALL	     15u /* every bit of a level */
#define LOG_SIZE_MAX (UINT32_MAX >> 2)

int user_log_init(struct user_log *log, struct call *call, u32 level, u64 buffer, u32 size)
{
	*log = (struct user_log){.level = level, .size = size, .buffer = buffer};
	strbuf_init(&log->text);
	/* What will not fit is not kept: a path of a million instructions is 60 MB of text. */
	if (buffer && !(level & LOG_FIXED))
		log->text.window = size;
	if (!buffer != !size)
		return call_fail(call, -EINVAL, "log_buf and log_size go together");
	if (buffer && !level)
		return call_fail(call, -EINVAL, "log_buf without log_level");
	if ((level & ~LOG_ALL) || size > LOG_SIZE_MAX)
		return call_fail(call, -EINVAL, "log_level %u, log_size %u", level, size);
	return 0;
}

struct strbuf *user_log_text(struct user_log *log)
{
	return log->level ? &log->text : NULL;
}

/* The part of the text that fits beside the terminating zero. */
static int write_text(const struct user_log *log)
{
	size_t length = log->text.length - log->text.dropped, room = log->size - 1;
	const char *text = strbuf_text(&log->text);

	if (length > room && !(log->level & LOG_FIXED))
		text += length - room;
	length = min(length, room);
	if (user_write(log->buffer, text, length) || user_write(log->buffer + length, "", 1))
		return -EFAULT;
	return log->text.length > room ? -ENOSPC : 0;
}

int user_log_done(struct user_log *log, struct call *call, u32 true_size, int ret)
{
	u32 size = log->text.length ? (u32)log->text.length + 1 : 0;
	int failed = log->text.failed ? -ENOMEM : 0;

	if (!failed && log->buffer && size)
		failed = write_text(log);
	if (call->user_size >= true_size + sizeof(size) &&
	    user_write(call->user_attr + true_size, &size, sizeof(size)))
		failed = -EFAULT;
	strbuf_done(&log->text);
	if (!failed)
		return ret;
	return call_fail(call, failed, "the log needs %u bytes, log_size is %u", size,
			 log->size);
}
