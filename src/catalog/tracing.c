/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in tracepoints.def, iterators.def and functions.def. */
#include "catalog/tracing.h"
#include <string.h>

static const struct {
	const char *name;
	u32 arg;
} null_args[] = {
#define MAY_BE_NULL(its_name, its_arg) {#its_name, its_arg},
#include "catalog/tracepoints.def"
};

bool tracepoint_arg_may_be_null(const char *tracepoint, u32 arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(null_args); i++)
		if (null_args[i].arg == arg && !strcmp(null_args[i].name, tracepoint))
			return true;
	return false;
}

enum {
	OR_NULL = ITERATOR_OR_NULL,
	TRUSTED = ITERATOR_TRUSTED,
	BUFFER = ITERATOR_BUFFER,
	READ_ONLY = ITERATOR_READ_ONLY,
};

static const struct {
	const char *name, *since;
} iterators[] = {
#define TARGET(its_name, first) {#its_name, first},
#define ARGUMENT(target, arg, flags)
#include "catalog/iterators.def"
#undef TARGET
#undef ARGUMENT
};

static const struct {
	const char *target;
	u32 arg, flags;
} iterator_args[] = {
#define TARGET(name, since)
#define ARGUMENT(its_target, its_arg, its_flags) {#its_target, its_arg, its_flags},
#include "catalog/iterators.def"
};

const char *iterator_since(const char *target)
{
	for (u32 i = 0; i < ARRAY_SIZE(iterators); i++)
		if (!strcmp(iterators[i].name, target))
			return iterators[i].since;
	return NULL;
}

u32 iterator_arg(const char *target, u32 arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(iterator_args); i++)
		if (iterator_args[i].arg == arg && !strcmp(iterator_args[i].target, target))
			return iterator_args[i].flags;
	return ITERATOR_TRUSTED;
}

enum {
	NO_TRACING = FUNCTION_NO_TRACING,
	NO_RETURN = FUNCTION_NO_RETURN,
	D_PATH = FUNCTION_D_PATH,
	MODIFIABLE = FUNCTION_MODIFIABLE,
	MAY_SLEEP = FUNCTION_MAY_SLEEP,
};

static const struct {
	const char *name;
	u32 flags;
} functions[] = {
#define FUNCTION(its_name, its_flags) {#its_name, its_flags},
#include "catalog/functions.def"
};

static bool starts_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/* Security hooks can be overruled; system calls are made to fail by error injection. */
static u32 flags_of_prefix(const char *name)
{
	if (starts_with(name, "bpf_sk_storage"))
		return 0;
	if (starts_with(name, "security_"))
		return FUNCTION_SK_STORAGE | FUNCTION_MODIFIABLE;
	if (starts_with(name, "__x64_sys_") || starts_with(name, "__ia32_sys_"))
		return FUNCTION_SK_STORAGE | FUNCTION_MODIFIABLE | FUNCTION_MAY_SLEEP;
	return FUNCTION_SK_STORAGE;
}

u32 function_flags(const char *name)
{
	u32 flags = flags_of_prefix(name);

	for (u32 i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].name, name))
			flags |= functions[i].flags;
	return flags;
}
