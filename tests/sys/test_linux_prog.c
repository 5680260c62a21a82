/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading, showing and running programs answers as Linux does. */
#include "tests/sys/worlds.h"
#include <linux/btf.h>

static const struct bpf_insn pass[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2},
	{.code = BPF_JMP | BPF_EXIT},
};

/* Falls off its end. */
static const struct bpf_insn bad[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2},
};

static union bpf_attr load_attr(u32 type)
{
	return (union bpf_attr){.prog_type = type,
				.insns = ptr_to_u64(pass),
				.insn_cnt = 2,
				.license = ptr_to_u64("GPL")};
}

static void note_load(struct world *world, union bpf_attr *attr, const char *what)
{
	note_fd(world, bpf(world, BPF_PROG_LOAD, attr), what);
}

static void arguments(struct world *world)
{
	const union bpf_attr good = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);
	union bpf_attr attr;

#define TRY(change)  \
	attr = good; \
	attr.change; \
	note_load(world, &attr, #change)

	TRY(insn_cnt = 2);
	TRY(insn_cnt = 0);
	TRY(insn_cnt = 1);
	TRY(insn_cnt = 1000000);
	TRY(insn_cnt = 1000001);
	TRY(insn_cnt = 0xffffffff);
	TRY(insns = 0);
	TRY(insns = 8);
	TRY(license = 0);
	TRY(license = 8);
	TRY(prog_type = 0);
	TRY(prog_type = 33);
	TRY(prog_type = 1000);
	TRY(kern_version = 12345);
	TRY(prog_flags = 1);
	TRY(prog_flags = 2);
	TRY(prog_flags = 4);
	TRY(prog_flags = 8);
	TRY(prog_flags = 0x10);
	TRY(prog_flags = 0x80);
	TRY(prog_flags = 0x100);
	TRY(prog_flags = 0x80000000);
	TRY(prog_ifindex = 99999);
	TRY(expected_attach_type = 1);
	TRY(expected_attach_type = 1000);
	TRY(prog_btf_fd = 1000);
	TRY(func_info_cnt = 1);
	TRY(line_info_cnt = 1);
	TRY(attach_btf_id = 1);
	TRY(attach_prog_fd = 1000);
	TRY(attach_prog_fd = 0);
	TRY(fd_array = 8);
#undef TRY
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
		union bpf_attr attr = load_attr(BPF_PROG_TYPE_XDP);

		memcpy(attr.prog_name, tried[i], min(strlen(tried[i]), sizeof(attr.prog_name)));
		note_load(world, &attr, tried[i]);
	}
}

static void types(struct world *world)
{
	for (u32 type = 0; type < 34; type++)
		for (u32 attach = 0; attach < 62; attach++) {
			union bpf_attr attr = load_attr(type);
			int fd;

			/* By BTF id only, or left out of the kernel. */
			if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
			    type == BPF_PROG_TYPE_EXT || type == BPF_PROG_TYPE_STRUCT_OPS ||
			    type == BPF_PROG_TYPE_LIRC_MODE2)
				continue;
			attr.expected_attach_type = attach;
			fd = bpf(world, BPF_PROG_LOAD, &attr);
			note(world, fd < 0 ? fd : 1, "type %u, attach type %u", type, attach);
			if (fd >= 0)
				close(fd);
		}
}

static void log_arguments(struct world *world)
{
	static const struct {
		u32 level, size;
		bool buffer;
	} tried[] = {{0, 0, false},	   {0, 0, true},    {0, 100, false},
		     {0, 100, true},	   {1, 0, false},   {1, 0, true},
		     {1, 100, false},	   {1, 4096, true}, {2, 4096, true},
		     {4, 4096, true},	   {8, 4096, true}, {9, 4096, true},
		     {16, 4096, true},	   {32, 0, false},  {1, 0x40000000, true},
		     {1, 0x3fffffff, true}};
	static char log[4096];

	for (u32 i = 0; i < ARRAY_SIZE(tried); i++) {
		union bpf_attr attr = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);
		int fd;

		attr.log_level = tried[i].level;
		attr.log_size = tried[i].size;
		attr.log_buf = tried[i].buffer ? ptr_to_u64(log) : 0;
		fd = bpf(world, BPF_PROG_LOAD, &attr);
		note(world, fd < 0 ? fd : 1, "log level %u, size %u, buffer %d", tried[i].level,
		     tried[i].size, tried[i].buffer);
		if (fd >= 0)
			close(fd);
	}
}

/* What a log of any room keeps; the text itself is the verifier's business. */
static void check_log(struct world *world, u32 level, u32 room, const char *whole, u32 length)
{
	static char log[8192];
	union bpf_attr attr = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);
	u8 raw[168] = {0};
	u32 true_size;
	int ret;

	memset(log, '#', sizeof(log));
	attr.insns = ptr_to_u64(bad);
	attr.log_level = level;
	attr.log_size = room;
	attr.log_buf = ptr_to_u64(log);
	memcpy(raw, &attr, min(sizeof(attr), sizeof(raw)));
	ret = bpf_size(world, BPF_PROG_LOAD, raw, sizeof(raw));
	memcpy(&true_size, raw + 140, sizeof(true_size));
	note(world, ret == (room <= length ? -ENOSPC : -EINVAL), "level %u, room %u: errno %d",
	     level, room, ret);
	note(world, true_size == length + 1, "level %u, room %u: true size", level, room);
	note(world, log[min(length, room - 1)], "level %u, room %u: terminated", level, room);
	note(world, log[room], "level %u, room %u: not beyond", level, room);
	if (room > length)
		note(world, !strcmp(log, whole), "room %u: all", room);
	else if (level & 8)
		note(world, !memcmp(log, whole, room - 1), "room %u: the start", room);
	else
		note(world, !strcmp(log, whole + length - (room - 1)), "room %u: the end",
		     room);
}

static void log_sizes(struct world *world)
{
	static char whole[4096];
	union bpf_attr attr = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);
	u32 length;

	attr.insns = ptr_to_u64(bad);
	attr.log_level = 1;
	attr.log_size = sizeof(whole);
	attr.log_buf = ptr_to_u64(whole);
	note(world, bpf(world, BPF_PROG_LOAD, &attr), "a bad program");
	length = strlen(whole);
	note(world, length > 20, "has a log");
	for (u32 level = 1; level <= 9; level += 8)
		for (u32 room = 1; room < length + 5; room++)
			check_log(world, level, room, whole, length);
}

/* With statistics, whose length depends on the time it took, only whether there is a log. */
static void note_true_size(struct world *world, u32 level, u32 room, const char *what,
			   u32 true_size)
{
	note(world, level & 4 ? true_size > 40 : true_size, "%s, level %u, room %u: true size",
	     what, level, room);
}

/* Of a program that is taken a log that does not fit is a failure, too; asked without a buffer,
 * Linux says how long it would be. */
static void log_levels_of(struct world *world, const struct bpf_insn *insns, const char *what)
{
	static const u32 rooms[] = {0, 1, 20, 4096};
	static char log[4096];

	for (u32 level = 0; level < 16; level++)
		for (u32 i = 0; i < ARRAY_SIZE(rooms); i++) {
			union bpf_attr attr = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);
			u8 raw[168] = {0};
			u32 true_size;
			int fd;

			attr.insns = ptr_to_u64(insns);
			attr.log_level = level;
			attr.log_size = rooms[i];
			attr.log_buf = rooms[i] ? ptr_to_u64(log) : 0;
			memcpy(raw, &attr, min(sizeof(attr), sizeof(raw)));
			fd = bpf_size(world, BPF_PROG_LOAD, raw, sizeof(raw));
			note(world, fd < 0 ? fd : 1, "%s, level %u, room %u", what, level,
			     rooms[i]);
			memcpy(&true_size, raw + 140, sizeof(true_size));
			note_true_size(world, level, rooms[i], what, true_size);
			if (fd >= 0)
				close(fd);
		}
}

static void log_levels(struct world *world)
{
	log_levels_of(world, pass, "good");
	log_levels_of(world, bad, "bad");
}

static void licenses(struct world *world)
{
	static const char *const tried[] = {
		"GPL",		"GPL v2",	"Dual BSD/GPL",
		"Dual MIT/GPL", "Dual MPL/GPL", "GPL and additional rights",
		"BSD",		"gpl",		"",
		"GPL ",		"Proprietary"};

	for (u32 i = 0; i < ARRAY_SIZE(tried); i++) {
		struct bpf_prog_info info = {0};
		union bpf_attr attr = load_attr(BPF_PROG_TYPE_XDP);
		int fd;

		attr.license = ptr_to_u64(tried[i]);
		fd = bpf(world, BPF_PROG_LOAD, &attr);
		attr = (union bpf_attr){.info = {.bpf_fd = fd,
						 .info_len = sizeof(info),
						 .info = ptr_to_u64(&info)}};
		note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info");
		note(world, info.gpl_compatible, "license '%s'", tried[i]);
		close(fd);
	}
}

static void info(struct world *world)
{
	struct bpf_prog_info info = {0};
	struct bpf_insn insns[4] = {0};
	union bpf_attr attr = load_attr(BPF_PROG_TYPE_XDP);
	int fd;

	strcpy(attr.prog_name, "some_prog");
	fd = bpf(world, BPF_PROG_LOAD, &attr);
	info.xlated_prog_len = sizeof(insns);
	info.xlated_prog_insns = ptr_to_u64(insns);
	attr = (union bpf_attr){
		.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = ptr_to_u64(&info)}};
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info");
	note(world, info.type, "type");
	note(world, info.id > 0, "id");
	for (u32 i = 0; i < BPF_TAG_SIZE; i++)
		note(world, info.tag[i], "tag %u", i);
	note(world, !strcmp(info.name, "some_prog"), "name");
	note(world, info.xlated_prog_len, "xlated_prog_len");
	note(world, !memcmp(insns, pass, sizeof(pass)), "xlated instructions");
	note(world, info.created_by_uid, "uid");
	note(world, info.nr_map_ids, "maps");
	note(world, info.load_time > 0, "load time");
	note(world, info.verified_insns, "verified_insns");
	note(world, info.btf_id, "btf_id");
	note(world, info.nr_func_info, "nr_func_info");
	note(world, info.nr_line_info, "nr_line_info");
	note(world, info.run_cnt, "run_cnt");
	info.nr_func_info = 1;
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "no func_info_rec_size");
	attr.info.info_len = 4;
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info of 4 bytes");
	for (u32 size = 4095; size < 4098; size++) {
		u8 page[8192] = {0};

		attr.info.info_len = size;
		attr.info.info = ptr_to_u64(page);
		note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info of %u", size);
	}
	attr.info.info = 8;
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "wild info");
	close(fd);
}

static void test_runs(struct world *world)
{
	static const u32 sizes[] = {0, 13, 14, 64, 1500, 3000};
	u8 in[3000] = {0}, out[64];
	union bpf_attr attr = load_attr(BPF_PROG_TYPE_XDP);
	int fd = bpf(world, BPF_PROG_LOAD, &attr);

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		for (u32 room = 0; room <= 64; room += 32) {
			attr = (union bpf_attr){.test = {.prog_fd = fd,
							 .data_in = ptr_to_u64(in),
							 .data_size_in = sizes[i],
							 .data_out = room ? ptr_to_u64(out) : 0,
							 .data_size_out = room,
							 .repeat = 2}};
			note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "%u bytes, room %u",
			     sizes[i], room);
			note(world, attr.test.retval, "%u bytes, room %u: retval", sizes[i],
			     room);
			note(world, attr.test.data_size_out, "%u bytes, room %u: data_size_out",
			     sizes[i], room);
		}
	attr = (union bpf_attr){.test = {.prog_fd = fd, .data_in = 8, .data_size_in = 64}};
	note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "wild data");
	attr.test.data_in = ptr_to_u64(in);
	attr.test.flags = 0x80;
	note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "flags");
	attr.test.flags = 0;
	attr.test.ctx_size_in = 4;
	note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "half a context");
	attr.test.ctx_size_in = 0;
	attr.test.prog_fd = 1000;
	note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "no program");
	close(fd);
}

static void note_program(struct world *world, const struct bpf_insn *insns, u32 count,
			 const char *what)
{
	static char log[4096];
	union bpf_attr attr = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);

	memset(log, 0, sizeof(log));
	attr.insns = ptr_to_u64(insns);
	attr.insn_cnt = count;
	attr.log_level = 1;
	attr.log_size = sizeof(log);
	attr.log_buf = ptr_to_u64(log);
	note_load(world, &attr, what);
	for (u32 i = 0; log[i] && log[i] != '\n'; i++)
		note(world, log[i], "%s: log %u", what, i);
}

/* Jumps through registers and the maps that say where to: Linux 6.18 has neither. */
static void jump_tables(struct world *world)
{
	for (u32 reg = 0; reg < 11; reg++) {
		const struct bpf_insn insns[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
						 {BPF_JMP | BPF_JA | BPF_X, reg, 0, 0, 0},
						 {BPF_JMP | BPF_EXIT}};

		note_program(world, insns, ARRAY_SIZE(insns), "gotox");
	}
	for (u32 type = 33; type < 40; type++)
		for (u32 value_size = 4; value_size <= 32; value_size *= 2) {
			union bpf_attr attr = {.map_type = type,
					       .key_size = 4,
					       .value_size = value_size,
					       .max_entries = 4};

			if (type > 33 || value_size > 4)
				note_fd(world, bpf(world, BPF_MAP_CREATE, &attr), "map type");
		}
}

static void wide_operands(struct world *world)
{
	for (u32 entries = 1; entries <= 2; entries++)
		for (u32 type = BPF_MAP_TYPE_HASH; type <= BPF_MAP_TYPE_ARRAY; type++)
			for (u32 off = 0; off <= 16; off += 8) {
				union bpf_attr attr = {.map_type = type,
						       .key_size = 4,
						       .value_size = 16,
						       .max_entries = entries};
				int map = bpf(world, BPF_MAP_CREATE, &attr);
				const struct bpf_insn insns[] = {
					{BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0,
					 map},
					{.imm = off},
					{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
					{BPF_JMP | BPF_EXIT}};

				note_program(world, insns, ARRAY_SIZE(insns), "direct value");
				close(map);
			}
	for (u32 id = 0; id < 2; id++) {
		const struct bpf_insn insns[] = {{BPF_LD | BPF_IMM | BPF_DW, 1,
						  BPF_PSEUDO_BTF_ID, 0, (s32)(id * INT32_MAX)},
						 {0},
						 {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
						 {BPF_JMP | BPF_EXIT}};

		note_program(world, insns, ARRAY_SIZE(insns), "variable");
	}
}

/* The count of lines is looked at before the first of them. */
/* Calls of kernel functions in modules: the offset is an index in fd_array. */
static void modules(struct world *world)
{
	static const s16 offsets[] = {0, 1, 2, -1};
	static const char *const licenses_tried[] = {"GPL", "other"};
	union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY,
			      .key_size = 4,
			      .value_size = 4,
			      .max_entries = 1};
	int descriptors[3] = {-1, -1, bpf(world, BPF_MAP_CREATE, &map)};

	for (u32 i = 0; i < ARRAY_SIZE(offsets) * ARRAY_SIZE(licenses_tried) * 2; i++) {
		const struct bpf_insn call[] = {
			{.code = BPF_JMP | BPF_CALL,
			 .src_reg = BPF_PSEUDO_KFUNC_CALL,
			 .off = offsets[i / 4],
			 .imm = 1}, /* a type that is no function */
			{.code = BPF_JMP | BPF_EXIT},
		};
		union bpf_attr attr = load_attr(BPF_PROG_TYPE_XDP);

		attr.insns = ptr_to_u64(call);
		attr.fd_array = i & 1 ? ptr_to_u64(descriptors) : 0;
		attr.license = ptr_to_u64(licenses_tried[i / 2 % 2]);
		note(world, bpf(world, BPF_PROG_LOAD, &attr), "offset %d, %s, %s",
		     offsets[i / 4], licenses_tried[i / 2 % 2], i & 1 ? "fd_array" : "none");
	}
	close(descriptors[2]);
}

static void line_counts(struct world *world)
{
	static const u32 counts[] = {0, 1, 2, 3, 0x8000000, 0x7fffffff, 0xffffffff};
	static const struct {
		struct btf_header header;
		u32 words[4];
		char text[8];
	} types = {{BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, 16, 16, 8},
		   {1, BTF_KIND_INT << 24, 4, 32},
		   "\0int"};
	/* Of 20 bytes, the last 4 of which are not zero. */
	static const u32 lines[3][5] = {{0, 1, 1, 1, 7}, {1, 1, 1, 1, 7}};
	union bpf_attr attr = {.btf = ptr_to_u64(&types), .btf_size = sizeof(types)};
	int btf = bpf(world, BPF_BTF_LOAD, &attr);

	note(world, btf < 0 ? btf : 1, "types");
	for (u32 i = 0; i < ARRAY_SIZE(counts); i++) {
		attr = load_attr(BPF_PROG_TYPE_SOCKET_FILTER);
		attr.prog_btf_fd = btf;
		attr.line_info = ptr_to_u64(lines);
		attr.line_info_rec_size = sizeof(lines[0]);
		attr.line_info_cnt = counts[i];
		note_load(world, &attr, "lines");
	}
	close(btf);
}

SCENARIO(arguments)
SCENARIO(names)
SCENARIO(types)
SCENARIO(log_arguments)
SCENARIO(log_sizes)
SCENARIO(log_levels)
SCENARIO(licenses)
SCENARIO(info)
SCENARIO(test_runs)
SCENARIO(jump_tables)
SCENARIO(wide_operands)
SCENARIO(modules)
SCENARIO(line_counts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),     cmocka_unit_test(test_names),
		cmocka_unit_test(test_types),	      cmocka_unit_test(test_log_arguments),
		cmocka_unit_test(test_log_sizes),     cmocka_unit_test(test_log_levels),
		cmocka_unit_test(test_licenses),      cmocka_unit_test(test_info),
		cmocka_unit_test(test_test_runs),     cmocka_unit_test(test_jump_tables),
		cmocka_unit_test(test_wide_operands), cmocka_unit_test(test_modules),
		cmocka_unit_test(test_line_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
