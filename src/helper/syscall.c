/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs of type syscall ask for that user space has: bpf(2), types and symbols. */
#include "helper/body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SYMBOL_LINE 512

/* Linux lets programs make things, not run or find them. */
static bool may_call(u32 command)
{
	switch (command) {
	case BPF_MAP_CREATE:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_PROG_LOAD:
	case BPF_BTF_LOAD:
	case BPF_LINK_CREATE:
	case BPF_RAW_TRACEPOINT_OPEN: return true;
	default: return false;
	}
}

HELPER_BODY(sys_bpf)
{
	if (!may_call(r1))
		return -EINVAL;
	return run->env->bpf(run->env->engine, (int)r1, u64_to_ptr(r2), (u32)r3);
}

/* A text of `size` bytes, its zero among them. */
static bool is_name(const char *name, s32 size)
{
	return size > 1 && !name[size - 1];
}

HELPER_BODY(btf_find_by_name_kind)
{
	const char *name = u64_to_ptr(r1);
	s32 id;

	if (r4 || !is_name(name, r2))
		return -EINVAL;
	id = run->env->find_type(run->env->engine, name, (u32)r3);
	return id ?: -ENOENT;
}

/* The address in a line of /proc/kallsyms that is of the name; 0: it is of another. */
static u64 address_in(char *line, const char *name)
{
	char *end = line + strcspn(line, "\t\n"), *found;
	u64 address = 0;

	*end = '\0';
	found = strrchr(line, ' ');
	if (found && !strcmp(found + 1, name))
		sscanf(line, "%llx", &address);
	return address;
}

HELPER_BODY(kallsyms_lookup_name)
{
	const char *name = u64_to_ptr(r1);
	u64 *out = u64_to_ptr(r4);
	char line[SYMBOL_LINE];
	FILE *symbols;

	if (r3 || !is_name(name, r2))
		return -EINVAL;
	symbols = fopen("/proc/kallsyms", "re");
	if (!symbols)
		return -EPERM;
	*out = 0;
	while (!*out && fgets(line, sizeof(line), symbols))
		*out = address_in(line, name);
	fclose(symbols);
	return *out ? 0 : -ENOENT;
}
