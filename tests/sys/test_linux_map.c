/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands on maps answer as Linux does: values, errno, order of checks. */
#include "tests/sys/worlds.h"

#include <sys/mman.h>

static int create(struct world *world, u32 type, u32 key, u32 value, u32 entries, u32 flags)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = key,
			       .value_size = value,
			       .max_entries = entries,
			       .map_flags = flags};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static int element(struct world *world, int cmd, int fd, const void *key, const void *value,
		   u64 flags)
{
	union bpf_attr attr = {.map_fd = fd,
			       .key = ptr_to_u64(key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

static int freeze(struct world *world, int fd)
{
	union bpf_attr attr = {.map_fd = fd};

	return bpf(world, BPF_MAP_FREEZE, &attr);
}

static const struct {
	const char *name;
	u32 type, key, value, entries, flags;
} shapes[] = {
	{"array", BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0},
	{"mmapable array", BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_MMAPABLE},
	{"hash", BPF_MAP_TYPE_HASH, 4, 8, 4, 0},
	{"hash without preallocation", BPF_MAP_TYPE_HASH, 4, 8, 4, BPF_F_NO_PREALLOC},
	{"LRU hash", BPF_MAP_TYPE_LRU_HASH, 4, 8, 4, 0},
	{"per-CPU array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4, 0},
	{"per-CPU hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 4, 0},
	{"trie", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 4, BPF_F_NO_PREALLOC},
	{"queue", BPF_MAP_TYPE_QUEUE, 0, 8, 4, 0},
	{"stack", BPF_MAP_TYPE_STACK, 0, 8, 4, 0},
	{"prog array", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0},
	{"perf event array", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4, 0},
	{"ring buffer", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
	{"bloom filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 4, 0},
	{"read-only array", BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_RDONLY},
	{"write-only array", BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_WRONLY},
	{"array that programs only read", BPF_MAP_TYPE_ARRAY, 4, 8, 4, BPF_F_RDONLY_PROG},
};

static const int element_commands[] = {
	BPF_MAP_LOOKUP_ELEM,
	BPF_MAP_UPDATE_ELEM,
	BPF_MAP_LOOKUP_ELEM,
	BPF_MAP_GET_NEXT_KEY,
	BPF_MAP_DELETE_ELEM,
	BPF_MAP_LOOKUP_AND_DELETE_ELEM,
	BPF_MAP_LOOKUP_AND_DELETE_ELEM,
};

static void one_element(struct world *world, const char *name, int fd, const void *key,
			const void *bad_key)
{
	static const u64 flags[] = {0, 1, 2, 3, 4, 5, 8, 1ULL << 40};
	u64 value[1024];

	for (u32 c = 0; c < ARRAY_SIZE(element_commands); c++) {
		int cmd = element_commands[c];

		for (u32 f = 0; f < ARRAY_SIZE(flags); f++) {
			memset(value, 7, sizeof(value));
			/* Deleting knows no flags: they are where the next attribute would be.
			 */
			note(world, element(world, cmd, fd, key, value, flags[f]),
			     "%s: command %d, flags %llx", name, cmd, flags[f]);
			note(world, value[0], "%s: command %d, flags %llx, value", name, cmd,
			     flags[f]);
		}
		note(world, element(world, cmd, fd, bad_key, value, 0),
		     "%s: command %d, bad key", name, cmd);
		/* A hash map took it; where it stands among two keys is no contract. */
		note(world, element(world, BPF_MAP_DELETE_ELEM, fd, bad_key, NULL, 0),
		     "%s: command %d, bad key deleted", name, cmd);
		note(world, element(world, cmd, fd, key, (void *)8, 0),
		     "%s: command %d, bad value", name, cmd);
		note(world, element(world, cmd, fd, (void *)8, value, 0),
		     "%s: command %d, wild key", name, cmd);
		note(world, element(world, cmd, fd, NULL, value, 0), "%s: command %d, no key",
		     name, cmd);
	}
}

static void elements(struct world *world)
{
	static const u32 key[4] = {1}, bad_key[4] = {99};
	static const u32 prefix[4] = {8, 1};

	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		int fd = create(world, shapes[i].type, shapes[i].key, shapes[i].value,
				shapes[i].entries, shapes[i].flags);
		bool trie = shapes[i].type == BPF_MAP_TYPE_LPM_TRIE;
		bool keyless = !shapes[i].key;

		note(world, fd < 0 ? fd : 1, "%s: create", shapes[i].name);
		if (fd < 0)
			continue;
		one_element(world, shapes[i].name, fd,
			    keyless ? NULL
			    : trie  ? prefix
				    : key,
			    bad_key);
		note(world, freeze(world, fd), "%s: freeze", shapes[i].name);
		note(world, freeze(world, fd), "%s: freeze again", shapes[i].name);
		one_element(world, shapes[i].name, fd, keyless ? NULL : key, bad_key);
		close(fd);
	}
}

static const u32 batch_commands[] = {BPF_MAP_UPDATE_BATCH, BPF_MAP_LOOKUP_BATCH,
				     BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH,
				     BPF_MAP_DELETE_BATCH};

static void batch_bad(struct world *world, const char *name, int fd, u32 cmd)
{
	u64 values[64] = {0};
	u32 keys[64] = {0, 1, 2, 3}, place[2] = {0};
	union bpf_attr good = {.batch = {.map_fd = fd,
					 .keys = ptr_to_u64(keys),
					 .values = ptr_to_u64(values),
					 .out_batch = ptr_to_u64(place),
					 .count = 4}};
	union bpf_attr attr;

#define TRY(what, ...)                                                            \
	attr = good;                                                              \
	__VA_ARGS__;                                                              \
	note(world, bpf(world, cmd, &attr), "%s: batch %u, %s", name, cmd, what); \
	note(world, attr.batch.count, "%s: batch %u, %s: count", name, cmd, what)

	TRY("elem_flags", attr.batch.elem_flags = 1);
	TRY("lock", attr.batch.elem_flags = BPF_F_LOCK);
	TRY("elem_flags 8", attr.batch.elem_flags = 8);
	TRY("flags", attr.batch.flags = 1);
	TRY("no count", attr.batch.count = 0);
	TRY("bad keys", attr.batch.keys = 8);
	TRY("bad values", attr.batch.values = 8);
	TRY("bad place", attr.batch.in_batch = 8);
#undef TRY
}

/* Everything but the order of a hash map's keys. */
static void batch_all(struct world *world, const char *name, int fd, u32 cmd, bool is_per_cpu)
{
	u64 values[4 * 64] = {0}, sum = 0;
	u32 keys[16] = {3, 1, 2, 0}, place[2] = {0};
	union bpf_attr attr = {.batch = {.map_fd = fd,
					 .keys = ptr_to_u64(keys),
					 .values = ptr_to_u64(values),
					 .out_batch = ptr_to_u64(place),
					 .count = 4}};

	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		values[i] = i;
	note(world, bpf(world, cmd, &attr), "%s: batch %u", name, cmd);
	note(world, attr.batch.count, "%s: batch %u: count", name, cmd);
	for (u32 i = 0; i < 4; i++)
		sum += keys[i] * 1000 + (is_per_cpu ? 0 : values[i]);
	note(world, sum, "%s: batch %u: sum", name, cmd);
	attr.batch.in_batch = attr.batch.out_batch;
	attr.batch.count = 4;
	note(world, bpf(world, cmd, &attr), "%s: batch %u again", name, cmd);
	note(world, attr.batch.count, "%s: batch %u again: count", name, cmd);
}

static void batches(struct world *world)
{
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		int fd;

		/* What an LRU map forgets is up to it; a trie's keys are longer. */
		if (shapes[i].type == BPF_MAP_TYPE_LRU_HASH ||
		    shapes[i].type == BPF_MAP_TYPE_LPM_TRIE)
			continue;
		fd = create(world, shapes[i].type, shapes[i].key, shapes[i].value,
			    shapes[i].entries, shapes[i].flags);
		for (u32 c = 0; c < ARRAY_SIZE(batch_commands); c++) {
			batch_all(world, shapes[i].name, fd, batch_commands[c],
				  shapes[i].type == BPF_MAP_TYPE_PERCPU_HASH);
			batch_bad(world, shapes[i].name, fd, batch_commands[c]);
		}
		close(fd);
	}
}

static void references(struct world *world)
{
	int inner = create(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	int other = create(world, BPF_MAP_TYPE_ARRAY, 4, 16, 4, 0);
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 2,
			       .inner_map_fd = inner};
	static const u32 types[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};
	static const u32 key = 1;

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		int bad = 1000, plain = 0, fd;
		u32 found = 0;

		attr.map_type = types[i];
		attr.inner_map_fd = 1000;
		note_fd(world, bpf(world, BPF_MAP_CREATE, &attr), "inner map is not open");
		attr.inner_map_fd = 0;
		note_fd(world, bpf(world, BPF_MAP_CREATE, &attr), "inner map is none");
		attr.inner_map_fd = inner;
		fd = bpf(world, BPF_MAP_CREATE, &attr);
		note(world, fd > 0, "map of maps %u", i);
		note(world, element(world, BPF_MAP_UPDATE_ELEM, fd, &key, &bad, 0), "not open");
		note(world, element(world, BPF_MAP_UPDATE_ELEM, fd, &key, &plain, 0), "no map");
		note(world, element(world, BPF_MAP_UPDATE_ELEM, fd, &key, &other, 0),
		     "unequal");
		note(world, element(world, BPF_MAP_UPDATE_ELEM, fd, &key, &fd, 0), "itself");
		note(world, element(world, BPF_MAP_UPDATE_ELEM, fd, &key, &inner, 8), "flags");
		note(world, element(world, BPF_MAP_UPDATE_ELEM, fd, &key, &inner, 0), "good");
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, fd, &key, &found, 0), "found");
		note(world, found != 0, "an id");
		note(world, element(world, BPF_MAP_DELETE_ELEM, fd, &key, NULL, 0), "delete");
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, fd, &key, &found, 0), "gone");
		close(fd);
	}
	close(inner);
	close(other);
}

static void info(struct world *world)
{
	u8 bytes[256];
	struct bpf_map_info *map = (void *)bytes;
	static const u32 sizes[] = {0, 4, 8, 80, 88, 104, 200};
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_HASH,
			       .key_size = 4,
			       .value_size = 12,
			       .max_entries = 7,
			       .map_name = "some.name_1"};
	int fd = bpf(world, BPF_MAP_CREATE, &attr);

	note(world, fd > 0, "create");
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(bytes, 0, sizeof(bytes));
		attr = (union bpf_attr){.info = {.bpf_fd = fd,
						 .info_len = sizes[i],
						 .info = ptr_to_u64(bytes)}};
		note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info of %u", sizes[i]);
		/* A kernel newer than the header knows more of it. */
		note(world, min(attr.info.info_len, 80U), "info of %u: length", sizes[i]);
		note(world,
		     map->type + map->key_size * 100 + map->value_size * 10000 +
			     map->max_entries * 1000000LL,
		     "info of %u: numbers", sizes[i]);
		note(world, map->name[0] + map->name[10] * 1000, "info of %u: name", sizes[i]);
	}
	attr.info.info = 8;
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info to a wild address");
	close(fd);
}

static void names(struct world *world)
{
	static const char *const tried[] = {"",
					    "a",
					    "a.b_c1",
					    "a b",
					    "a-b",
					    "a/b",
					    "\x80",
					    "0123456789abcde",
					    "0123456789abcdef"};

	for (u32 i = 0; i < ARRAY_SIZE(tried); i++) {
		union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
				       .key_size = 4,
				       .value_size = 4,
				       .max_entries = 1};

		memcpy(attr.map_name, tried[i], min(strlen(tried[i]), sizeof(attr.map_name)));
		note_fd(world, bpf(world, BPF_MAP_CREATE, &attr), tried[i]);
	}
}

SCENARIO(elements)
SCENARIO(batches)
SCENARIO(references)
SCENARIO(info)
SCENARIO(names)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),   cmocka_unit_test(test_batches),
		cmocka_unit_test(test_references), cmocka_unit_test(test_info),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
