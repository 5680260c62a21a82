/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf(2) itself: takes the attributes in, finds the command, and what commands share. */
#include "helper/backtrace.h"
#include "map/map.h"
#include "run/run.h"
#include "sys/command.h"
#include "sys/offload.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define ATTR_SIZE_MAX 4096 /* as Linux: a page */

struct command {
	const char *name;
	u32 end;
	int (*call)(struct call *call);
};

static const struct command commands[] = {
#define COMMAND(name, number, end) [number] = {#name, end, command_##name},
#include "sys/commands.def"
#undef COMMAND
};

/* A caller may know more of bpf_attr than we: then that part must be zero. */
static int read_attr(struct call *call, u64 user_attr, u32 size)
{
	int ret = 0;

	if (size > ATTR_SIZE_MAX)
		return call_fail(call, -E2BIG, "attr of %u bytes", size);
	if (size > ATTR_SIZE)
		ret = user_check_zero(user_attr + ATTR_SIZE, size - ATTR_SIZE);
	if (ret == -E2BIG)
		return call_fail(call, ret, "attr has bits behind its byte %u", ATTR_SIZE);
	memset(&call->attr, 0, sizeof(call->attr));
	if (!ret)
		ret = user_read(&call->attr, user_attr, min(size, ATTR_SIZE));
	if (ret)
		return call_fail(call, ret, "attr cannot be read");
	call->user_attr = user_attr;
	call->user_size = size;
	return 0;
}

static int check_tail(struct call *call, const struct command *command)
{
	for (u32 i = command->end; i < ATTR_SIZE; i++)
		if (call->attr.bytes[i])
			return call_fail(call, -EINVAL,
					 "attr is not zero at byte %u; %s has %u bytes", i,
					 command->name, command->end);
	return 0;
}

static int carry_out(struct skep_engine *engine, int cmd, union bpf_attr *attr,
		     unsigned int size)
{
	struct call call = {.engine = engine, .err = engine_error_start(engine)};
	int ret = read_attr(&call, ptr_to_u64(attr), size);

	if (ret)
		return ret;
	if (cmd < 0 || cmd >= (int)ARRAY_SIZE(commands))
		return call_fail(&call, -EINVAL, "no command %d", cmd);
	ret = check_tail(&call, &commands[cmd]);
	if (!ret)
		ret = commands[cmd].call(&call);
	if (ret < 0 && !call.err->code)
		call_fail(&call, ret, "%s: %s", commands[cmd].name, strerror(-ret));
	return ret;
}

int skep_bpf(struct skep_engine *engine, int cmd, union bpf_attr *attr, unsigned int size)
{
	/* Stacks of programs that run meanwhile begin with who called this. */
	const void *before = backtrace_enter(__builtin_dwarf_cfa());
	int ret = carry_out(engine, cmd, attr, size);

	backtrace_enter(before);
	return ret;
}

static struct object *call_object(struct call *call, int fd, enum object_kind kind,
				  const char *kind_name, u32 *mode, int *ret)
{
	struct object *object = descriptor_object(call->engine, fd, kind, mode, ret);

	if (!object)
		call_fail(call, *ret, "descriptor %d is %s", fd,
			  *ret == -EBADF ? "not open" : kind_name);
	return object;
}

struct map *call_map(struct call *call, int fd, u32 mode, int *ret)
{
	u32 given;
	struct object *object = call_object(call, fd, OBJECT_MAP, "not a map", &given, ret);

	if (!object)
		return NULL;
	*ret = offload_check(call, map_offloaded(map_of_object(object)));
	if (*ret) {
		object_put(object);
		return NULL;
	}
	if (map_of_object(object)->desc.frozen)
		given &= ~DESCRIPTOR_WRITE;
	if ((given & mode) == mode)
		return map_of_object(object);
	object_put(object);
	*ret = call_fail(call, -EPERM, "the map is %s-only through descriptor %d",
			 given & DESCRIPTOR_READ ? "read" : "write", fd);
	return NULL;
}

struct prog *call_prog(struct call *call, int fd, int *ret)
{
	struct object *object = call_object(call, fd, OBJECT_PROG, "not a program", NULL, ret);

	return object ? container_of(object, struct prog, object) : NULL;
}

struct prog *call_prog_to_run(struct call *call, int fd, int *ret)
{
	struct prog *prog = call_prog(call, fd, ret);

	if (!prog || prog->code)
		return prog;
	*ret = prog->offload
		       ? call_fail(call, -EINVAL, "program %d runs at its device", fd)
		       : call_fail(call, -EOPNOTSUPP, "this engine only verifies programs");
	object_put(&prog->object);
	return NULL;
}

int call_name(struct call *call, const char *from, char out[BPF_OBJ_NAME_LEN])
{
	u32 length = strnlen(from, BPF_OBJ_NAME_LEN);

	if (length == BPF_OBJ_NAME_LEN)
		return call_fail(call, -EINVAL, "name is not terminated");
	for (u32 i = 0; i < length; i++)
		if (!isalnum((unsigned char)from[i]) && from[i] != '_' && from[i] != '.')
			return call_fail(call, -EINVAL, "name has the character %#x",
					 (unsigned char)from[i]);
	memset(out, 0, BPF_OBJ_NAME_LEN);
	memcpy(out, from, length);
	return (int)length;
}

int call_hand_out(struct call *call, struct object *object, u32 mode)
{
	int ret = 0;

	if (!object->id)
		ret = object_publish(call->engine, object);
	if (!ret)
		ret = descriptor_open(call->engine, object, mode);
	object_put(object);
	return ret < 0 ? call_fail(call, ret, "no descriptor: %s", strerror(-ret)) : ret;
}
