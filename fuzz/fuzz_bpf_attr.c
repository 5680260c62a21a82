/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of bpf(2) with any attributes. The input is a list of calls:
 *
 *	call   command(1) writes(1) write*
 *	write  offset(1) kind(1) value(4)
 *
 * A write puts a number, an address or a descriptor into the attr, so that calls get further
 * than their first check. Whatever the attributes, nothing crashes, and an error has a text.
 */
#include "fuzz/bpf_world.h"
#include <string.h>

#define ATTR_SIZE	  168
#define CALLS_MAX	  32
#define COMMANDS	  40
#define ENTRIES_MAX	  4096u
#define SIZE_MAX_OF_VALUE 65536u

enum write_kind {
	WRITE_U32,
	WRITE_ADDRESS,
	WRITE_OBJECT,
	WRITE_RESULT,
	WRITE_WILD,
	WRITE_KINDS
};

struct reader {
	const u8 *at, *end;
};

static u8 next(struct reader *reader)
{
	return reader->at < reader->end ? *reader->at++ : 0;
}

static u32 next_u32(struct reader *reader)
{
	u32 value = 0;

	for (u32 i = 0; i < 4; i++)
		value |= (u32)next(reader) << 8 * i;
	return value;
}

struct results {
	int fds[CALLS_MAX];
	u32 count;
};

static void write_attr(struct bpf_world *world, const struct results *results,
		       struct reader *reader, u8 attr[ATTR_SIZE + 8])
{
	u32 offset = next(reader) % ATTR_SIZE, kind = next(reader), value = next_u32(reader);
	u64 wide = value;
	u32 size = 4;

	switch ((enum write_kind)(kind % WRITE_KINDS)) {
	case WRITE_U32:
	case WRITE_KINDS: break;
	case WRITE_ADDRESS:
		wide = ptr_to_u64(world->memory + value % MEMORY_SIZE);
		size = 8;
		break;
	case WRITE_OBJECT: wide = (u32)world->object[value % OBJECTS]; break;
	case WRITE_RESULT:
		wide = results->count ? (u32)results->fds[value % results->count] : 0;
		break;
	case WRITE_WILD:
		wide = (u64)value << 16;
		size = 8;
		break;
	}
	memcpy(attr + offset, &wide, size);
}

/* Sizes that would only use up the machine. */
static void limit(int command, union bpf_attr *attr)
{
	if (command == BPF_MAP_CREATE) {
		attr->max_entries = min(attr->max_entries, ENTRIES_MAX);
		attr->value_size = min(attr->value_size, SIZE_MAX_OF_VALUE);
	} else if (command == BPF_PROG_TEST_RUN) {
		attr->test.repeat = min(attr->test.repeat, 4U);
	}
}

static bool gives_descriptor(int command)
{
	return command == BPF_MAP_CREATE || command == BPF_PROG_LOAD ||
	       command == BPF_OBJ_GET || command == BPF_PROG_GET_FD_BY_ID ||
	       command == BPF_MAP_GET_FD_BY_ID || command == BPF_BTF_LOAD ||
	       command == BPF_BTF_GET_FD_BY_ID || command == BPF_LINK_CREATE ||
	       command == BPF_LINK_GET_FD_BY_ID || command == BPF_ENABLE_STATS;
}

static void call(struct bpf_world *world, struct results *results, struct reader *reader)
{
	int command = next(reader) % COMMANDS, ret;
	u32 writes = next(reader) % 24;
	union {
		u8 bytes[ATTR_SIZE + 8];
		union bpf_attr attr;
	} attr = {0};

	for (u32 i = 0; i < writes; i++)
		write_attr(world, results, reader, attr.bytes);
	limit(command, &attr.attr);
	ret = skep_bpf(world->engine, command, &attr.attr, ATTR_SIZE);
	REQUIRE(ret >= -4095);
	REQUIRE((ret < 0) == (skep_engine_error(world->engine)->code != 0));
	if (ret < 0)
		REQUIRE(skep_engine_error(world->engine)->text[0]);
	else if (gives_descriptor(command))
		results->fds[results->count++] = ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader reader = {data, data + size};
	struct bpf_world *world = bpf_world();
	struct results results = {.count = 0};

	for (u32 i = 0; i < CALLS_MAX && reader.at < reader.end; i++)
		call(world, &results, &reader);
	for (u32 i = 0; i < results.count; i++)
		close(results.fds[i]);
	return 0;
}
