/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas: pages that programs and user space allocate, read and write: Linux and skep. */
#include "btf/btf.h"
#include "sys/kernel_btf.h"
#include "tests/sys/programs.h"

#include <stdarg.h>
#include <sys/mman.h>

#define PAGE  4096
#define PAGES 8
#define START 0x123400010000ULL /* where nothing of this process is */

/* The kernel's types are the same in both worlds; read once. */
static u32 function_id(const char *name)
{
	static struct kernel_btf kernel;

	if (!kernel.was_read)
		kernel_btf_init(&kernel);
	return kernel_btf_view(&kernel)
		       ? btf_find(kernel_btf_view(&kernel), name, BTF_KIND_FUNC)
		       : 0;
}

static int make(struct world *world, u64 start, u32 flags)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARENA,
			       .max_entries = PAGES,
			       .map_flags = BPF_F_MMAPABLE | flags,
			       .map_extra = start};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static long long run_syscall(struct world *world, int map, const char *text)
{
	int prog = load_text(world, BPF_PROG_TYPE_SYSCALL, text, &map);
	union bpf_attr attr = {.test = {.prog_fd = prog}};
	int ret = prog < 0 ? prog : bpf(world, BPF_PROG_TEST_RUN, &attr);

	if (prog >= 0)
		close(prog);
	return ret < 0 ? ret : (int)attr.test.retval;
}

/* Runs a text that is printed by a format. */
__attribute__((format(printf, 3, 4))) static long long run(struct world *world, int map,
							   const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return run_syscall(world, map, text);
}

/* How many pages from the start; -1: none were given. */
static long long alloc(struct world *world, int map, u64 address, u32 pages, u32 flags)
{
	return run(world, map,
		   "	r1 = map_fd 0 ll\n	r2 = 0x%llx ll\n	r3 = %u\n"
		   "	r4 = -1\n	r5 = %u\n	call kfunc 0x%x, 0x0\n"
		   "	r6 = r0\n	r0 = -1\n	if r6 == 0 goto out\n"
		   "	r1 = 0x%llx ll\n	r6 -= r1\n	r6 >>= 12\n	r0 = r6\n"
		   "out:	exit\n",
		   (unsigned long long)address, pages, flags,
		   function_id("bpf_arena_alloc_pages"), START);
}

static long long give_back(struct world *world, int map, u64 address, u32 pages)
{
	return run(world, map,
		   "	r1 = map_fd 0 ll\n	r2 = 0x%llx ll\n	r3 = %u\n"
		   "	call kfunc 0x%x, 0x0\n	r0 = 0\n	exit\n",
		   (unsigned long long)address, pages, function_id("bpf_arena_free_pages"));
}

static long long reserve(struct world *world, int map, u64 address, u32 pages)
{
	return run(world, map,
		   "	r1 = map_fd 0 ll\n	r2 = 0x%llx ll\n	r3 = %u\n"
		   "	call kfunc 0x%x, 0x0\n	exit\n",
		   (unsigned long long)address, pages, function_id("bpf_arena_reserve_pages"));
}

/* r1 is the program's view of the address; the instructions leave a result in r0. */
static long long at(struct world *world, int map, u64 address, const char *instructions)
{
	return run(world, map,
		   "	r2 = map_fd 0 ll\n	r1 = 0x%llx ll\n"
		   "	r1 = addr_space_cast(r1, 0x0, 0x1)\n	r0 = 0\n%s	exit\n",
		   (unsigned long long)address, instructions);
}

static long long load(struct world *world, int map, u64 address)
{
	return at(world, map, address, "	r0 = *(u32 *)(r1 + 0)\n");
}

static long long store(struct world *world, int map, u64 address)
{
	return at(world, map, address, "	*(u32 *)(r1 + 0) = 0x1234567\n");
}

static void pages(struct world *world)
{
	const int map = make(world, START, 0);

	note(world, load(world, map, START), "missing: load");
	note(world, store(world, map, START), "missing: store");
	note(world, load(world, map, START), "missing: load again");
	note(world, alloc(world, map, 0, 1, 0), "one page");
	note(world, load(world, map, START), "new: load");
	note(world, store(world, map, START + 8), "new: store");
	note(world, load(world, map, START + 8), "new: load again");
	note(world, alloc(world, map, 0, 3, 0), "three pages");
	note(world, alloc(world, map, 0, 5, 0), "too many");
	note(world, alloc(world, map, 0, 0, 0), "no pages");
	note(world, alloc(world, map, 0, 1, 1), "flags");
	note(world, alloc(world, map, START + PAGE, 1, 0), "taken");
	note(world, alloc(world, map, START + 6 * PAGE, 2, 0), "the last two");
	note(world, alloc(world, map, START + 7 * PAGE, 2, 0), "beyond");
	note(world, alloc(world, map, START + 5 * PAGE + 8, 1, 0), "odd");
	note(world, alloc(world, map, START - PAGE, 1, 0), "before");
	note(world, alloc(world, map, 0, ~0U, 0), "as many as can be said");
	note(world, give_back(world, map, START, 2), "give back");
	note(world, load(world, map, START + 8), "given back: load");
	note(world, alloc(world, map, 0, 1, 0), "the smallest range");
	note(world, alloc(world, map, 0, 2, 0), "two again");
	note(world, load(world, map, START + 8), "emptied: load");
	note(world, give_back(world, map, START + 7 * PAGE, 9), "give more than there are");
	note(world, give_back(world, map, START + 70 * PAGE, 1), "give what is not there");
	note(world, alloc(world, map, START + 7 * PAGE, 1, 0), "the last");
	if (function_id("bpf_arena_reserve_pages")) {
		note(world, give_back(world, map, START, PAGES), "all");
		note(world, reserve(world, map, START + PAGE, 2), "reserve");
		note(world, reserve(world, map, START + PAGE, 1), "reserve again");
		note(world, reserve(world, map, START + 7 * PAGE, 2), "reserve beyond");
		note(world, reserve(world, map, START, 0), "reserve none");
		note(world, alloc(world, map, START + PAGE, 1, 0), "reserved");
		note(world, alloc(world, map, 0, 5, 0), "behind the reserved");
		note(world, load(world, map, START + PAGE), "reserved: load");
	}
	close(map);
}

/* --- each kind of access --- */

static const struct {
	const char *name, *instructions;
} accesses[] = {
	{"u8", "	r0 = *(u8 *)(r1 + 3)\n"},
	{"u16", "	r0 = *(u16 *)(r1 + 2)\n"},
	{"u64", "	r0 = *(u64 *)(r1 + 4)\n"},
	{"s8", "	r0 = *(s8 *)(r1 + 8)\n"},
	{"s16", "	r0 = *(s16 *)(r1 + 7)\n"},
	{"s32", "	r0 = *(s32 *)(r1 + 8)\n	r0 >>= 32\n"},
	{"below", "	r1 += 64\n	r0 = *(u32 *)(r1 - 64)\n"},
	{"byte", "	*(u8 *)(r1 + 0) = 0x7f\n	r0 = *(u64 *)(r1 + 0)\n"},
	{"half", "	r2 = 0x12345\n	*(u16 *)(r1 + 2) = r2\n	r0 = *(u32 *)(r1 + 0)\n"},
	{"word", "	*(u32 *)(r1 + 4) = -2\n	r0 = *(u64 *)(r1 + 0)\n	r0 >>= 32\n"},
	{"all", "	*(u64 *)(r1 + 16) = -2\n	r0 = *(u64 *)(r1 + 16)\n"},
	{"add",
	 "	r2 = 5\n	lock *(u64 *)(r1 + 0) += r2\n	r0 = *(u32 *)(r1 + 0)\n"},
	{"fetch",
	 "	r2 = 5\n	r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)\n	r0 = r2\n"},
	{"or", "	w2 = 0xff00\n	w2 = atomic_fetch_or((u32 *)(r1 + 0), w2)\n"
	       "	r0 = *(u32 *)(r1 + 0)\n"},
	{"and", "	r2 = 0xf0f0\n	r2 = atomic_fetch_and((u64 *)(r1 + 0), r2)\n"
		"	r0 = *(u32 *)(r1 + 0)\n"},
	{"xor",
	 "	r2 = -1\n	lock *(u64 *)(r1 + 0) ^= r2\n	r0 = *(u32 *)(r1 + 4)\n"},
	{"exchange",
	 "	w2 = 77\n	w2 = xchg32_32(r1 + 0, w2)\n	r0 = *(u32 *)(r1 + 0)\n"},
	{"compare", "	r0 = 77\n	r2 = 99\n	r0 = cmpxchg_64(r1 + 32, r0, r2)\n"},
	{"far", "	r1 += 0x20000\n	r0 = *(u32 *)(r1 + 0)\n	r0 += 3\n"},
	{"far store", "	r1 += 0x20000\n	*(u32 *)(r1 + 0) = 4\n	r0 = 9\n"},
	{"edge", "	r1 += 4092\n	r0 = *(u32 *)(r1 + 0)\n"},
	{"user's", "	r0 = addr_space_cast(r1, 0x1, 0x0)\n	r0 >>= 32\n"},
	{"user's low", "	r0 = addr_space_cast(r1, 0x1, 0x0)\n"},
	{"user's NULL",
	 "	w1 = 0\n	r0 = addr_space_cast(r1, 0x1, 0x0)\n	r0 >>= 32\n"},
};

static void each_access(struct world *world)
{
	static const u32 flags[] = {0, 1U << 18 /* BPF_F_NO_USER_CONV */};

	for (u32 f = 0; f < ARRAY_SIZE(flags); f++) {
		const int map = make(world, START, flags[f]);
		u8 *memory = mmap(u64_to_ptr(START), PAGES * PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED_NOREPLACE, map, 0);

		note(world, ptr_to_u64(memory) == START, "mapped");
		for (u32 i = 0; i < 64; i++)
			memory[i] = 0x81 + 3 * i;
		for (u32 i = 0; i < ARRAY_SIZE(accesses); i++) {
			note(world, at(world, map, START, accesses[i].instructions), "%u: %s",
			     f, accesses[i].name);
			for (u32 word = 0; word < 8; word++)
				note(world, ((u64 *)memory)[word], "%u: %s: word %u", f,
				     accesses[i].name, word);
		}
		munmap(memory, PAGES * PAGE);
		close(map);
	}
}

/* --- user space --- */

static void user_space(struct world *world)
{
	const int map = make(world, START, 0);
	volatile u8 *memory = mmap(u64_to_ptr(START), PAGES * PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED_NOREPLACE, map, 0);

	memory[PAGE] = 7;
	note(world, load(world, map, START + PAGE), "what user space wrote");
	note(world, alloc(world, map, START + PAGE, 1, 0), "is allocated");
	note(world, alloc(world, map, 0, 1, 0), "before it");
	note(world, alloc(world, map, 0, 1, 0), "behind it");
	note(world, store(world, map, START), "store");
	note(world, memory[0] | memory[3] << 8, "what the program wrote");
	note(world, give_back(world, map, START + PAGE, 1), "free");
	note(world, load(world, map, START + PAGE), "freed");
	note(world, memory[PAGE], "freed, seen by user space");
	munmap((void *)memory, PAGES * PAGE);
	note(world, load(world, map, START), "unmapped: load");
	close(map);
}

static void commands(struct world *world)
{
	static const u32 tried[] = {BPF_MAP_LOOKUP_ELEM,
				    BPF_MAP_UPDATE_ELEM,
				    BPF_MAP_DELETE_ELEM,
				    BPF_MAP_GET_NEXT_KEY,
				    BPF_MAP_LOOKUP_AND_DELETE_ELEM,
				    BPF_MAP_FREEZE};
	const int map = make(world, START, 0);
	u64 key = 0, value = 0;

	for (u32 i = 0; i < ARRAY_SIZE(tried); i++)
		for (u32 has_key = 0; has_key < 2; has_key++) {
			union bpf_attr attr = {.map_fd = map,
					       .key = has_key ? ptr_to_u64(&key) : 0,
					       .value = ptr_to_u64(&value)};

			if (tried[i] == BPF_MAP_FREEZE)
				attr = (union bpf_attr){.map_fd = map};
			note(world, bpf(world, tried[i], &attr), "command %u, key %u", tried[i],
			     has_key);
		}
	close(map);
}

static void test_checked(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = true};

	if (!linux_has_isa() || !function_id("bpf_arena_alloc_pages"))
		skip();
	worlds_compare_with(pages, &opts);
	worlds_compare_with(each_access, &opts);
}

#define ARENA_SCENARIO(name) SCENARIO_IF(name, function_id("bpf_arena_alloc_pages"))

ARENA_SCENARIO(pages)
ARENA_SCENARIO(each_access)
ARENA_SCENARIO(user_space)
ARENA_SCENARIO(commands)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	   cmocka_unit_test(test_each_access),
		cmocka_unit_test(test_user_space), cmocka_unit_test(test_commands),
		cmocka_unit_test(test_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
