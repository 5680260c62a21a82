/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log that PROG_LOAD and BTF_LOAD write into the caller's buffer. One that is too long is
 * cut and the command fails with -ENOSPC: by default the buffer keeps the end of the log, with
 * BPF_LOG_FIXED its start (Linux 6.4).
 */
#ifndef SKEP_SYS_USER_LOG_H
#define SKEP_SYS_USER_LOG_H

#include "base/strbuf.h"
#include "sys/command.h"

struct user_log {
	struct strbuf text;
	u32 level, size;
	u64 buffer;
};

/* 0, or -EINVAL for arguments that do not fit together. */
int user_log_init(struct user_log *log, struct call *call, u32 level, u64 buffer, u32 size);

/* What to write to; NULL when the caller wants no log. */
struct strbuf *user_log_text(struct user_log *log);

/*
 * Gives the caller the log, and its full size at `true_size` of the attr where the caller's
 * attr has it, and frees it. Returns `ret`, or the error of the log itself.
 */
int user_log_done(struct user_log *log, struct call *call, u32 true_size, int ret);

#endif
