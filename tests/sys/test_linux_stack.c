/* SPDX-License-Identifier: BSD-2-Clause */
/* Stack maps and the stacks of programs that run in PROG_TEST_RUN: Linux and skep. */
#include "tests/sys/programs.h"

#include <elf.h>
#include <link.h>

#define DEPTH 64
#define MAPS  2

enum { ADDRESSES, BUILD_IDS };

static int make(struct world *world, u32 frame_size, u32 entries, u32 flags)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_STACK_TRACE,
			       .key_size = 4,
			       .value_size = frame_size * DEPTH,
			       .max_entries = entries,
			       .map_flags = flags};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static int element(struct world *world, int cmd, int map, const void *key, void *value,
		   u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

static long long run_raw(struct world *world, int prog)
{
	union bpf_attr attr = {.test = {.prog_fd = prog}};
	int ret = bpf(world, BPF_PROG_TEST_RUN, &attr);

	return ret < 0 ? ret : (int)attr.test.retval;
}

static long long run_with(struct world *world, const int *maps, const char *format, u64 flags)
{
	char text[512];
	long long result;
	int prog;

	snprintf(text, sizeof(text), format, (unsigned long long)flags);
	prog = load_text(world, BPF_PROG_TYPE_RAW_TRACEPOINT, text, maps);
	if (prog < 0)
		return prog;
	result = run_raw(world, prog);
	close(prog);
	return result;
}

static const char get_id[] = "	r2 = map_fd 0 ll\n"
			     "	r3 = %llu\n"
			     "	call 27			# get_stackid\n"
			     "	exit\n";

/* Which stacks are deep enough for more to be skipped differs. */
static u32 next_flag(u32 bit)
{
	return bit == 2 ? 8 : bit + 1;
}

static void flags(struct world *world)
{
	/* So many buckets that two stacks do not meet. */
	const int map = make(world, 8, 1 << 16, 0);

	for (u32 bit = 0; bit < 32; bit = next_flag(bit)) {
		long long id = run_with(world, &map, get_id, BPF_F_USER_STACK ^ 1ULL << bit);

		note(world, id < 0 ? id : 0, "flag %u", bit);
	}
	note(world, run_with(world, &map, get_id, BPF_F_USER_STACK | 0xff), "skip all");
	close(map);
}

static void elements(struct world *world)
{
	const int map = make(world, 8, 5, 0);
	u64 frames[DEPTH] = {0};
	u32 next = 99, id, far = 8;

	note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, &next, 0), "empty: next");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, &next, frames, 0), "far away");
	id = (u32)run_with(world, &map, get_id, BPF_F_USER_STACK | BPF_F_REUSE_STACKID);
	note(world, id < 8, "an id");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, &id, frames, 0), "look-up");
	note(world, frames[0] != 0, "a first frame");
	note(world, frames[DEPTH - 1], "the last frame");
	note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, &next, 0), "first key");
	note(world, next == id, "is the id");
	note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, &id, &next, 0), "the last key");
	note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, &far, &next, 0), "a wild key");
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, &id, frames, 0), "update");
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, &far, frames, 8), "wild update");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, &id, frames, BPF_F_LOCK), "lock");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, &far, NULL, 0), "wild delete");
	note(world, element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, &id, frames, 0),
	     "take");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, &id, NULL, 0), "delete taken");
	id = (u32)run_with(world, &map, get_id, BPF_F_USER_STACK | BPF_F_REUSE_STACKID);
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, &id, NULL, 0), "delete");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, &id, frames, 0), "deleted");
	close(map);
}

/* In one bucket: the second stack differs. */
static void __attribute__((noinline)) deeper(struct world *world, int prog, const char *what)
{
	note(world, run_raw(world, prog), "%s, deeper", what);
	__asm__ volatile("" ::: "memory");
}

static void collisions(struct world *world)
{
	static const u64 kinds[] = {0, BPF_F_FAST_STACK_CMP, BPF_F_REUSE_STACKID,
				    BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID};

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		const int map = make(world, 8, 1, 0);
		char text[256], what[32];
		int prog;

		snprintf(text, sizeof(text), get_id,
			 (unsigned long long)(kinds[i] | BPF_F_USER_STACK));
		snprintf(what, sizeof(what), "kind %u", i);
		prog = load_text(world, BPF_PROG_TYPE_RAW_TRACEPOINT, text, &map);
		for (u32 round = 0; round < 2; round++)
			note(world, run_raw(world, prog), "%s, round %u", what, round);
		deeper(world, prog, what);
		close(prog);
		close(map);
	}
}

/* --- the frames --- */

static const char copy_stack[] = "	r6 = r1\n"
				 "	*(u32 *)(r10 - 4) = 0\n"
				 "	r1 = map_fd 0 ll\n"
				 "	r2 = r10\n"
				 "	r2 += -4\n"
				 "	call 1			# map_lookup_elem\n"
				 "	if r0 == 0 goto out\n"
				 "	r1 = r6\n"
				 "	r2 = r0\n"
				 "	r3 = %llu\n"
				 "	r4 = %llu\n"
				 "	call 67			# get_stack\n"
				 "out:	exit\n";
static const char copy_task_stack[] = "	call 158		# get_current_task_btf\n"
				      "	r6 = r0\n"
				      "	*(u32 *)(r10 - 4) = 0\n"
				      "	r1 = map_fd 0 ll\n"
				      "	r2 = r10\n"
				      "	r2 += -4\n"
				      "	call 1\n"
				      "	if r0 == 0 goto out\n"
				      "	r1 = r6\n"
				      "	r2 = r0\n"
				      "	r3 = %llu\n"
				      "	r4 = %llu\n"
				      "	call 141		# get_task_stack\n"
				      "out:	exit\n";

static int make_array(struct world *world)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 32 * DEPTH,
			       .max_entries = 1};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static long long copy(struct world *world, const char *format, int map, u64 size, u64 flags,
		      void *out)
{
	char text[512];
	static const u32 key;
	long long result;
	int prog;

	snprintf(text, sizeof(text), format, (unsigned long long)size,
		 (unsigned long long)flags);
	prog = load_text(world, BPF_PROG_TYPE_RAW_TRACEPOINT, text, &map);
	if (prog < 0)
		return prog;
	result = run_raw(world, prog);
	close(prog);
	element(world, BPF_MAP_LOOKUP_ELEM, map, &key, out, 0);
	return result;
}

/* Who is on the stack by frame pointers, in both worlds. */
__attribute__((noinline)) static void outermost(struct world *world,
						void (*next)(struct world *world))
{
	next(world);
	__asm__ volatile("" ::: "memory");
}

static bool is_of(u64 address, const void *function)
{
	return address > ptr_to_u64(function) && address < ptr_to_u64(function) + 128;
}

static void copies(struct world *world)
{
	static const char *const formats[] = {copy_stack, copy_task_stack};
	static const u64 sizes[] = {8, 12, 16, 32, 33, 64, 512, 2048};
	const int map = make_array(world);
	u64 frames[4 * DEPTH];

	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
			long long result = copy(world, formats[f], map, sizes[i],
						BPF_F_USER_STACK, frames);
			bool found = false;

			/* Linux sees those with frame pointers only. */
			note(world, sizes[i] < 64 ? result : result > 16, "%u: size %llu", f,
			     (unsigned long long)sizes[i]);
			for (u32 at = 0; at < ARRAY_SIZE(frames); at++)
				found |= is_of(frames[at], outermost);
			if (sizes[i] > 64)
				note(world, found, "%u: %llu bytes hold the test's function", f,
				     (unsigned long long)sizes[i]);
			note(world, frames[4 * DEPTH - 1], "%u: rest", f);
		}
		for (u32 bit = 0; bit < 16; bit = next_flag(bit)) {
			/* Described frames of the kernel are nobody's. */
			u64 tried = BPF_F_USER_STACK ^ 1ULL << bit;
			long long result = copy(world, formats[f], map, 512, tried, frames);

			note(world, result < 0 ? result : 0, "%u: flags %llx", f,
			     (unsigned long long)tried);
		}
		note(world, copy(world, formats[f], map, 64, BPF_F_USER_STACK | 0xff, frames),
		     "%u: skip all", f);
	}
	close(map);
}

static void copies_from(struct world *world)
{
	outermost(world, copies);
}

/* A frame of this program is told by this program's build id. */
static int own_build_id(struct dl_phdr_info *info, size_t size, void *out)
{
	for (u32 i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		const u8 *note = u64_to_ptr(info->dlpi_addr + part->p_vaddr);

		for (u32 at = 0; part->p_type == PT_NOTE && at + 16 < part->p_memsz; at += 4)
			if (!memcmp(note + at, "\4\0\0\0\x14\0\0\0\3\0\0\0GNU", 16))
				memcpy(out, note + at + 16, 20);
	}
	return 1;
}

static u32 count_own(const struct bpf_stack_build_id *frames)
{
	u8 own[20] = {0};
	u32 count = 0;

	dl_iterate_phdr(own_build_id, own);
	for (u32 i = 0; i < DEPTH; i++)
		count += frames[i].status == BPF_STACK_BUILD_ID_VALID &&
			 !memcmp(frames[i].build_id, own, sizeof(own));
	return count;
}

static void build_ids(struct world *world)
{
	const int map = make(world, sizeof(struct bpf_stack_build_id), 4, BPF_F_STACK_BUILD_ID);
	const int array = make_array(world);
	struct bpf_stack_build_id frames[DEPTH];
	u32 id = (u32)run_with(world, &map, get_id, BPF_F_USER_STACK);

	note(world, id < 4, "an id");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, &id, frames, 0), "look-up");
	note(world, count_own(frames) > 0, "frames of this program");
	note(world, frames[DEPTH - 1].status, "the last is none");
	note(world,
	     copy(world, copy_stack, array, sizeof(frames),
		  BPF_F_USER_STACK | BPF_F_USER_BUILD_ID, frames) > 0,
	     "get_stack");
	note(world, count_own(frames) > 0, "its frames");
	note(world,
	     copy(world, copy_stack, array, 33, BPF_F_USER_STACK | BPF_F_USER_BUILD_ID, frames),
	     "odd size");
	close(map);
	close(array);
}

SCENARIO(flags)
SCENARIO(elements)
SCENARIO(collisions)
SCENARIO(copies_from)
SCENARIO(build_ids)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),	   cmocka_unit_test(test_elements),
		cmocka_unit_test(test_collisions), cmocka_unit_test(test_copies_from),
		cmocka_unit_test(test_build_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
