/* SPDX-License-Identifier: BSD-2-Clause */
/* Garbage in bpf_attr gets the same errno from skep as from Linux. */
#include "tests/sys/worlds.h"

#include <sys/mman.h>

#define ATTR_SIZE 168

/* Commands whose answer depends on what else is loaded: only their tails are compared. */
static bool lists_objects(int cmd)
{
	return cmd == BPF_PROG_GET_NEXT_ID || cmd == BPF_MAP_GET_NEXT_ID ||
	       cmd == BPF_BTF_GET_NEXT_ID || cmd == BPF_LINK_GET_NEXT_ID ||
	       cmd == BPF_PROG_GET_FD_BY_ID || cmd == BPF_MAP_GET_FD_BY_ID ||
	       cmd == BPF_BTF_GET_FD_BY_ID || cmd == BPF_LINK_GET_FD_BY_ID ||
	       cmd == BPF_TASK_FD_QUERY;
}

/* Exclusive maps, signed programs, tokens and streams are not in skep. */
static bool is_left_out(int cmd, unsigned int byte)
{
	return (cmd == BPF_MAP_CREATE && byte >= 76) || (cmd == BPF_PROG_LOAD && byte >= 152) ||
	       cmd == 36 || cmd == 37;
}

static void any_byte(struct world *world)
{
	static const u8 values[] = {1, 0x80, 0xff};

	for (int cmd = 0; cmd < 42; cmd++)
		for (unsigned int byte = lists_objects(cmd) ? 24 : 0; byte < ATTR_SIZE; byte++)
			for (unsigned int i = 0; i < 3; i++) {
				u8 attr[ATTR_SIZE] = {0};
				int ret;

				if (is_left_out(cmd, byte))
					continue;
				attr[byte] = values[i];
				ret = bpf_size(world, cmd, attr, sizeof(attr));
				note(world, ret < 0 ? ret : 1, "command %d, byte %u is %#x",
				     cmd, byte, values[i]);
				if (ret > 0 &&
				    (cmd == BPF_ENABLE_STATS || cmd == BPF_MAP_CREATE))
					close(ret);
			}
}

static void any_size(struct world *world)
{
	static const unsigned int sizes[] = {0,	  1,   4,   16,	  120,	144, 167,
					     168, 169, 200, 4095, 4096, 4097};
	static u8 attr[8192];

	for (int cmd = -1; cmd < 42; cmd++)
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
			for (int tail = 0; tail < 2; tail++) {
				int ret;

				if (lists_objects(cmd) || is_left_out(cmd, 0) ||
				    cmd == BPF_ENABLE_STATS)
					continue;
				memset(attr, 0, sizeof(attr));
				if (sizes[i])
					attr[sizes[i] - 1] = (u8)tail;
				ret = bpf_size(world, cmd, attr, sizes[i]);
				if (!(tail && is_left_out(cmd, sizes[i] - 1)))
					note(world, ret, "command %d, %u bytes, last %d", cmd,
					     sizes[i], tail);
			}
}

static void bad_addresses(struct world *world)
{
	u8 *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(page, MAP_FAILED);
	mprotect(page + 4096, 4096, PROT_NONE);
	for (int cmd = 0; cmd < 38; cmd++) {
		note(world, bpf_size(world, cmd, NULL, 64), "command %d, NULL", cmd);
		note(world, bpf_size(world, cmd, page + 4096 - 32, 64), "command %d, half",
		     cmd);
		note(world, bpf_size(world, cmd, (void *)0xffff800000000000, 64),
		     "command %d, kernel address", cmd);
	}
	munmap(page, 8192);
}

SCENARIO(any_byte)
SCENARIO(any_size)
SCENARIO(bad_addresses)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_any_size),
		cmocka_unit_test(test_bad_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
