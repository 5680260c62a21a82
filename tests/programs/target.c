/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"
#include "tests/linux.h"

#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

static int linux_bpf(void *cookie, int cmd, union bpf_attr *attr, u32 size)
{
	long result = syscall(SYS_bpf, cmd, attr, size);

	return result < 0 ? -errno : (int)result;
}

static int engine_bpf(void *cookie, int cmd, union bpf_attr *attr, u32 size)
{
	return skep_bpf(cookie, cmd, attr, size);
}

/* What a program printed last; violations that the checked interpreter finds come this way. */
static char last_line[SKEP_ERROR_TEXT];

static void keep_line(void *cookie, const char *text, size_t length)
{
	snprintf(last_line, sizeof(last_line), "%.*s", (int)length, text);
	last_line[strcspn(last_line, "\n")] = '\0';
}

static int open_engine(bool checked, struct target *out)
{
	struct skep_engine_opts opts = {
		.sz = sizeof(opts), .checked = checked, .trace = keep_line};
	struct skep_error err;
	struct skep_engine *engine = skep_engine_new(&opts, &err);

	if (!engine)
		return err.code;
	*out = (struct target){checked ? "skep, checked" : "skep", false, engine_bpf, engine};
	return 0;
}

int target_open(const char *name, struct target *out)
{
	if (!strcmp(name, "skep") || !strcmp(name, "checked"))
		return open_engine(*name == 'c', out);
	if (strcmp(name, "linux"))
		return -ENOENT;
	if (!linux_has_bpf())
		return -EPERM;
	*out = (struct target){"Linux", true, linux_bpf, NULL};
	return 0;
}

const char *target_error(const struct target *target)
{
	if (target->is_linux)
		return "";
	return *last_line ? last_line : skep_engine_error(target->cookie)->text;
}

void target_close(struct target *target)
{
	if (!target->is_linux)
		skep_engine_free(target->cookie);
}
