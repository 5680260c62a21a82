/* SPDX-License-Identifier: BSD-2-Clause */
/* func_info and line_info: what is wrong with them is found, and said, as by Linux. */
#include "tests/sys/worlds.h"

#include <linux/btf.h>
#include <string.h>

#define LOG_SIZE 65536
#define MOST	 4 /* records */

/* Types: 1 int, 2 int (void), 3 main, 4 sub, 5 global; strings: 1 "int", 5 "main", 10 "sub". */
static const struct {
	struct btf_header header;
	struct {
		struct btf_type type;
		u32 encoding;
	} number;
	struct btf_type proto, funcs[3];
	char strings[16];
} btf = {
	.header = {.magic = BTF_MAGIC,
		   .version = BTF_VERSION,
		   .hdr_len = sizeof(struct btf_header),
		   .type_len = 5 * sizeof(struct btf_type) + sizeof(u32),
		   .str_off = 5 * sizeof(struct btf_type) + sizeof(u32),
		   .str_len = 16},
	.number = {{.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4}, 32},
	.proto = {.info = BTF_KIND_FUNC_PROTO << 24, .type = 1},
	.funcs = {{.name_off = 5, .info = BTF_KIND_FUNC << 24, .type = 2},
		  {.name_off = 10, .info = BTF_KIND_FUNC << 24, .type = 2},
		  {.name_off = 10, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, .type = 2}},
	.strings = "\0int\0main\0sub",
};

/* A 16-byte instruction, a call, an exit; and the subprogram at 5. */
static const struct bpf_insn insns[] = {
	{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1},
	{},
	{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 2},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K},
	{.code = BPF_JMP | BPF_EXIT},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K},
	{.code = BPF_JMP | BPF_EXIT},
};

static const struct row {
	u32 func_cnt, func_size;
	struct bpf_func_info funcs[MOST];
	u32 line_cnt, line_size;
	struct bpf_line_info lines[MOST];
} rows[] = {
	{2, 8, {{0, 3}, {5, 4}}},
	{2, 8, {{0, 3}, {5, 5}}},
	{1, 8, {{0, 3}}},
	{3, 8, {{0, 3}, {5, 4}, {6, 4}}},
	{2, 8, {{1, 3}, {5, 4}}},
	{2, 8, {{0, 3}, {0, 4}}},
	{2, 8, {{0, 3}, {4, 4}}},
	{2, 8, {{0, 3}, {5, 2}}},
	{2, 8, {{0, 3}, {5, 99}}},
	{2, 4, {{0, 3}, {5, 4}}},
	{2, 10, {{0, 3}, {5, 4}}},
	{2, 256, {{0, 3}, {5, 4}}},
	{1, 16, {{0, 3}, {5, 4}}},
	{1000000, 8, {{0, 3}, {0, 4}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 5, 1, 0}, {5, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 1, 16, {{0, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 1, 16, {{5, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 5, 1, 0}, {6, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 5, 1, 0}, {0, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 5, 1, 0}, {7, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 5, 1, 0}, {1, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 99, 1, 0}, {5, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 2, 16, {{0, 5, 99, 0}, {5, 5, 1, 0}}},
	{2, 8, {{0, 3}, {5, 4}}, 1, 32, {{0, 5, 1, 0}, {5, 5, 1, 0}}},
	{0, 0, {}, 2, 16, {{0, 5, 1, 0}, {5, 5, 1, 0}}},
};

/* Linux's line may go on with the statistics: some of its messages lack a newline. */
static u32 hash_message(const char *log)
{
	const char *end = strstr(log, "processed ");
	u32 hash = 0;

	while (log < end && *log != '\n')
		hash = hash * 31 + (u8)*log++;
	return hash;
}

static void records(struct world *world)
{
	static char log[LOG_SIZE];
	union bpf_attr attr = {.btf = ptr_to_u64(&btf), .btf_size = sizeof(btf)};
	int types = bpf(world, BPF_BTF_LOAD, &attr);

	note_fd(world, dup(types), "BTF");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		attr = (union bpf_attr){.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
					.insns = ptr_to_u64(insns),
					.insn_cnt = ARRAY_SIZE(insns),
					.license = ptr_to_u64("GPL"),
					.log_level = 1,
					.log_buf = ptr_to_u64(log),
					.log_size = LOG_SIZE,
					.prog_btf_fd = (u32)types,
					.func_info_cnt = row->func_cnt,
					.func_info_rec_size = row->func_size,
					.func_info = ptr_to_u64(row->funcs),
					.line_info_cnt = row->line_cnt,
					.line_info_rec_size = row->line_size,
					.line_info = ptr_to_u64(row->lines)};
		note_fd(world, bpf(world, BPF_PROG_LOAD, &attr), "records");
		note(world, hash_message(log), "message of row %u", i);
	}
	close(types);
}

static void test_records(void **state)
{
	if (!linux_has_isa())
		skip();
	worlds_compare(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_records)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
