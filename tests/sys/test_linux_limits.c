/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs just below, at and above what Linux allows have Linux's verdict and its first
 * reason. */
#include "tests/sys/worlds.h"
#include <ctype.h>

#define INSNS_MAX 140000
#define LOG_SIZE  (1 << 20)

/* --- assembling --- */

static struct bpf_insn insns[INSNS_MAX];
static u32 count;

static u32 emit(u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	insns[count] = (struct bpf_insn){code, dst, src, off, imm};
	return count++;
}

static void move(u8 dst, s32 imm)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void leave(void)
{
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void leave_with(s32 result)
{
	move(BPF_REG_0, result);
	leave();
}

static u32 call(void)
{
	return emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
}

/* The jump or call at `from` leads to the next instruction. */
static void land(u32 from)
{
	if (insns[from].code == (BPF_JMP | BPF_CALL) ||
	    insns[from].code == (BPF_JMP32 | BPF_JA))
		insns[from].imm = (s32)(count - from - 1);
	else
		insns[from].off = (s16)(count - from - 1);
}

static void pad(u32 until)
{
	while (count < until)
		move(BPF_REG_0, 0);
}

/* --- asking --- */

/* Before what each verifier counts for itself. */
static bool is_statistics(const char *line)
{
	static const char *const starts[] = {"verification time", "stack depth", "processed ",
					     "mark_precise", "from "};

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return isdigit((unsigned char)*line) && !strstr(line, "calls/");
}

/* The last line that says why, as its characters. */
static void note_reason(struct world *world, char *log, const char *what)
{
	char *reason = "", *rest = log;

	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line && !is_statistics(line))
			reason = line;
	for (u32 i = 0; reason[i]; i++)
		note(world, reason[i], "%s: %s", what, reason);
}

static int load_as(struct world *world, u32 type, const char *what)
{
	static char log[LOG_SIZE];
	union bpf_attr attr = {.prog_type = type,
			       .insns = ptr_to_u64(insns),
			       .insn_cnt = count,
			       .license = ptr_to_u64("GPL"),
			       .log_level = 1,
			       .log_size = sizeof(log),
			       .log_buf = ptr_to_u64(log)};
	int fd;

	log[0] = 0;
	fd = bpf(world, BPF_PROG_LOAD, &attr);
	if (fd == -ENOSPC) { /* the path is too long to be told */
		attr.log_level = 0;
		attr.log_size = 0;
		attr.log_buf = 0;
		fd = bpf(world, BPF_PROG_LOAD, &attr);
		log[0] = 0;
	}
	note(world, fd < 0 ? fd : 1, "%s", what);
	if (fd < 0)
		note_reason(world, log, what);
	count = 0;
	return fd;
}

static void try_load(struct world *world, const char *format, u32 number)
{
	char what[64];
	int fd;

	snprintf(what, sizeof(what), format, number);
	fd = load_as(world, BPF_PROG_TYPE_SOCKET_FILTER, what);
	if (fd >= 0)
		close(fd);
}

/* --- how much is walked --- */

/* Two instructions in each round, three besides. */
static void processed(struct world *world)
{
	for (u32 rounds = 499998; rounds <= 500000; rounds++) {
		struct bpf_prog_info info = {0};
		union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				       .insns = ptr_to_u64(insns),
				       .license = ptr_to_u64("GPL")};
		int fd;

		move(BPF_REG_1, 0);
		emit(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, 1);
		emit(BPF_JMP | BPF_JLT | BPF_K, BPF_REG_1, 0, -2, (s32)rounds);
		leave_with(0);
		attr.insn_cnt = count;
		count = 0;
		fd = bpf(world, BPF_PROG_LOAD, &attr);
		note(world, fd < 0 ? fd : 1, "%u rounds of a loop", rounds);
		attr = (union bpf_attr){.info = {.bpf_fd = fd,
						 .info_len = sizeof(info),
						 .info = ptr_to_u64(&info)}};
		note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info");
		note(world, info.verified_insns, "%u rounds: processed", rounds);
		if (fd >= 0)
			close(fd);
	}
}

/* --- frames and stacks --- */

static void frames(struct world *world)
{
	for (u32 depth = 1; depth <= 10; depth++) {
		for (u32 i = 1; i < depth; i++) {
			u32 from = call();

			leave();
			land(from);
		}
		leave_with(0);
		try_load(world, "%u frames", depth);
	}
}

static void touch_stack(u32 bytes)
{
	if (bytes)
		emit(BPF_ST | BPF_MEM | BPF_B, BPF_REG_10, 0, (s16)-bytes, 0);
}

/* Two frames, the second perhaps in dead code. */
static void two_frames(struct world *world, u32 outer, u32 inner, bool is_dead)
{
	char what[64];
	u32 from, over = 0;

	touch_stack(outer);
	if (is_dead) {
		move(BPF_REG_1, 1);
		over = emit(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 0, 0);
	}
	from = call();
	if (is_dead)
		land(over);
	leave_with(0);
	land(from);
	touch_stack(inner);
	leave_with(0);
	snprintf(what, sizeof(what), "stack of %u%s", outer, is_dead ? ", dead" : "");
	try_load(world, strcat(what, " and %u"), inner);
}

static void stacks(struct world *world)
{
	static const u32 sizes[] = {0, 1, 8, 31, 32, 33, 255, 256, 257, 480, 481, 511, 512};

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		for (u32 k = 0; k < ARRAY_SIZE(sizes); k++) {
			two_frames(world, sizes[i], sizes[k], false);
			two_frames(world, sizes[i], sizes[k], true);
		}
	for (u32 bytes = 510; bytes <= 520; bytes++) {
		touch_stack(bytes);
		leave_with(0);
		try_load(world, "stack of %u", bytes);
	}
}

/* Behind `outer` bytes of the caller and its own, the callee calls tails. */
static void tails(struct world *world)
{
	static const u32 sizes[] = {1, 32, 224, 225, 255, 256, 257, 288, 400};
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_PROG_ARRAY,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 1};
	int map = bpf(world, BPF_MAP_CREATE, &attr);

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		for (u32 own = 0; own <= 64; own += 32) {
			u32 from;

			emit(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
			touch_stack(sizes[i]);
			from = call();
			leave_with(0);
			land(from);
			touch_stack(own);
			emit(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map);
			emit(0, 0, 0, 0, 0);
			move(BPF_REG_3, 0);
			emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
			leave_with(0);
			try_load(world, own ? "tail call below %u, own" : "tail call below %u",
				 sizes[i]);
		}
	close(map);
}

/* A program that counts in its packet, and calls itself. */
static void tail_calls(struct world *world)
{
	u8 in[64] = {0}, out[64] = {0};
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_PROG_ARRAY,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 1};
	int map = bpf(world, BPF_MAP_CREATE, &attr), prog;
	u32 key = 0, over;

	emit(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0, 0);
	emit(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_1, 4, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_4, BPF_REG_2, 0, 0);
	emit(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_4, 0, 0, 14);
	over = emit(BPF_JMP | BPF_JGT | BPF_X, BPF_REG_4, BPF_REG_3, 0, 0);
	emit(BPF_LDX | BPF_MEM | BPF_B, BPF_REG_5, BPF_REG_2, 0, 0);
	emit(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_5, 0, 0, 1);
	emit(BPF_STX | BPF_MEM | BPF_B, BPF_REG_2, BPF_REG_5, 0, 0);
	emit(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map);
	emit(0, 0, 0, 0, 0);
	move(BPF_REG_3, 0);
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
	land(over);
	leave_with(2);
	prog = load_as(world, BPF_PROG_TYPE_XDP, "calls itself");
	attr = (union bpf_attr){
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&prog)};
	note(world, bpf(world, BPF_MAP_UPDATE_ELEM, &attr), "into the array");
	attr = (union bpf_attr){.test = {.prog_fd = prog,
					 .data_in = ptr_to_u64(in),
					 .data_size_in = sizeof(in),
					 .data_out = ptr_to_u64(out),
					 .data_size_out = sizeof(out)}};
	note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "run");
	note(world, attr.test.retval, "result");
	note(world, out[0], "how often it ran");
	close(prog);
	close(map);
}

/* --- how many of what --- */

static void subprograms(struct world *world)
{
	for (u32 subprogs = 255; subprogs <= 258; subprogs++) {
		u32 first = count;

		for (u32 i = 1; i < subprogs; i++)
			call();
		leave_with(0);
		for (u32 i = 1; i < subprogs; i++) {
			land(first + i - 1);
			leave_with(0);
		}
		try_load(world, "%u subprograms", subprogs);
	}
}

static void maps(struct world *world)
{
	int fds[65];

	for (u32 i = 0; i < ARRAY_SIZE(fds); i++) {
		union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
				       .key_size = 4,
				       .value_size = 4,
				       .max_entries = 1};

		fds[i] = bpf(world, BPF_MAP_CREATE, &attr);
		assert_true(fds[i] >= 0);
	}
	for (u32 used = 63; used <= 65; used++) {
		for (u32 i = 0; i < 2 * used; i++) {
			emit(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
			     fds[i % used]);
			emit(0, 0, 0, 0, 0);
		}
		leave_with(0);
		try_load(world, "%u maps", used);
	}
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* --- how far --- */

/* Over `distance` instructions and back again. */
static void far_jump(struct world *world, u8 code, u32 distance, const char *what)
{
	u32 over, back;

	move(BPF_REG_6, 0);
	over = emit(code, 0, 0, 0, 0);
	back = count;
	leave_with(0);
	pad(over + 1 + distance);
	leave();
	insns[over].off = (s16)min(distance, (u32)INT16_MAX);
	if (code == (BPF_JMP32 | BPF_JA)) {
		insns[over].off = 0;
		insns[over].imm = (s32)distance;
	}
	/* what was jumped over is reached, too */
	insns[back] = (struct bpf_insn){BPF_JMP | BPF_JNE | BPF_K, BPF_REG_6, 0, 0, 1};
	try_load(world, what, distance);
}

static void distances(struct world *world)
{
	static const u32 tried[] = {1, 32766, 32767, 65535, 65536, 131000};

	for (u32 i = 0; i < 3; i++) {
		far_jump(world, BPF_JMP | BPF_JA, tried[i], "goto over %u");
		far_jump(world, BPF_JMP | BPF_JEQ | BPF_K, tried[i], "branch over %u");
	}
	for (u32 i = 0; i < ARRAY_SIZE(tried); i++)
		far_jump(world, BPF_JMP32 | BPF_JA, tried[i], "gotol over %u");
	for (s32 target = -3; target <= 3; target++) {
		move(BPF_REG_0, 0);
		emit(BPF_JMP32 | BPF_JA, 0, 0, 0, target < 0 ? INT32_MIN : INT32_MAX - target);
		leave();
		try_load(world, "gotol far away %u", (u32)target);
	}
}

SCENARIO(processed)
SCENARIO(frames)
SCENARIO(stacks)
SCENARIO(tails)
SCENARIO(tail_calls)
SCENARIO(subprograms)
SCENARIO(maps)
SCENARIO(distances)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processed),  cmocka_unit_test(test_frames),
		cmocka_unit_test(test_stacks),	   cmocka_unit_test(test_tails),
		cmocka_unit_test(test_tail_calls), cmocka_unit_test(test_subprograms),
		cmocka_unit_test(test_maps),	   cmocka_unit_test(test_distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
