/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"
#include "tests/linux.h"

#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

static int linux_bpf(const struct target *target, int cmd, union bpf_attr *attr)
{
	struct linux_rights before;
	bool drops = cmd == BPF_PROG_LOAD && target->rights != SKEP_RIGHTS_ALL;
	long result;

	if (drops && !linux_keep_rights(target->rights, &before))
		return -EPERM;
	result = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	result = result < 0 ? -errno : result;
	if (drops)
		linux_restore_rights(&before);
	return (int)result;
}

static int engine_bpf(const struct target *target, int cmd, union bpf_attr *attr)
{
	return skep_bpf(target->cookie, cmd, attr, sizeof(*attr));
}

/* What a program printed last; violations that the checked interpreter finds come this way. */
static char last_line[SKEP_ERROR_TEXT];

static void keep_line(void *cookie, const char *text, size_t length)
{
	snprintf(last_line, sizeof(last_line), "%.*s", (int)length, text);
	last_line[strcspn(last_line, "\n")] = '\0';
}

static int open_engine(const char *name, u32 rights, struct target *out)
{
	struct skep_engine_opts opts = {.sz = sizeof(opts),
					.rights = rights,
					.rights_given = true,
					.checked = !strcmp(name, "checked"),
					.jit = !strcmp(name, "interpreted") ? SKEP_JIT_OFF
					       : !strcmp(name, "base")	    ? SKEP_JIT_BASE
									    : SKEP_JIT_DEFAULT,
					.trace = keep_line};
	struct skep_error err;
	struct skep_engine *engine = skep_engine_new(&opts, &err);

	if (!engine)
		return err.code;
	*out = (struct target){name, false, engine_bpf, engine, rights};
	return 0;
}

int target_open(const char *name, u32 rights, struct target *out)
{
	if (strcmp(name, "linux"))
		return open_engine(name, rights, out);
	if (!linux_has_bpf())
		return -EPERM;
	*out = (struct target){"Linux", true, linux_bpf, NULL, rights};
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
