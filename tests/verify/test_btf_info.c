/* SPDX-License-Identifier: BSD-2-Clause */
/* func_info and line_info against a program: verdicts and words of Linux 6.18. */
#include "btf/btf.h"
#include "tests/unit.h"
#include "verify/btf_info.h"
#include <skep/skep.h>

#include <errno.h>
#include <string.h>

#define INFO(kind, vlen) ((u32)(kind) << 24 | (vlen))
#define BYTES_MAX	 64

enum { NAME_INT = 1, NAME_MAIN = 5, NAME_SUB = 10, STRINGS = 14 };
enum {
	TYPE_INT = 1,
	TYPE_RETURNS_INT,
	TYPE_MAIN,
	TYPE_SUB,
	TYPE_RETURNS_NOTHING,
	TYPE_PROCEDURE
};

static const u32 types[] = {
	NAME_INT,
	INFO(BTF_KIND_INT, 0),
	4,
	BTF_INT_SIGNED << 24 | 32,
	0,
	INFO(BTF_KIND_FUNC_PROTO, 0),
	TYPE_INT,
	NAME_MAIN,
	INFO(BTF_KIND_FUNC, BTF_FUNC_GLOBAL),
	TYPE_RETURNS_INT,
	NAME_SUB,
	INFO(BTF_KIND_FUNC, BTF_FUNC_STATIC),
	TYPE_RETURNS_INT,
	0,
	INFO(BTF_KIND_FUNC_PROTO, 0),
	0,
	NAME_SUB,
	INFO(BTF_KIND_FUNC, BTF_FUNC_STATIC),
	TYPE_RETURNS_NOTHING,
};

static struct btf_view *new_btf(void)
{
	struct {
		struct btf_header header;
		u32 types[ARRAY_SIZE(types)];
		char strings[STRINGS];
	} blob = {
		.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0,
			   sizeof(types), sizeof(types), STRINGS},
		.strings = "\0int\0main\0sub",
	};
	struct btf_view *btf;
	struct skep_error err;

	memcpy(blob.types, types, sizeof(types));
	if (btf_view_new(&blob, sizeof(struct btf_header) + sizeof(types) + STRINGS, &btf, NULL,
			 &err))
		fail_msg("%s", err.text);
	return btf;
}

#define MOV(dst, value)                                       \
	{                                                     \
		BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value \
	}
#define EXIT                                   \
	{                                      \
		BPF_JMP | BPF_EXIT, 0, 0, 0, 0 \
	}
#define CALL(distance)                                              \
	{                                                           \
		BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, distance \
	}
#define TAIL_CALL                                               \
	{                                                       \
		BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call \
	}
#define LD_ABS                                       \
	{                                            \
		BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, 0 \
	}
#define LD_WIDE                                  \
	{BPF_LD | BPF_IMM | BPF_DW, 0, 0, 0, 0}, \
	{                                        \
		0, 0, 0, 0, 0                    \
	}

static const struct bpf_insn one[] = {MOV(0, 0), EXIT};
static const struct bpf_insn two[] = {CALL(1), EXIT, MOV(0, 0), EXIT};
static const struct bpf_insn wide[] = {LD_WIDE, EXIT};
static const struct bpf_insn tail_call[] = {CALL(1), EXIT, TAIL_CALL, EXIT};
static const struct bpf_insn ld_abs[] = {CALL(1), EXIT, LD_ABS, EXIT};

struct info_row {
	const char *name;
	const struct bpf_insn *insns;
	u32 insn_cnt;
	struct {
		u32 words[BYTES_MAX / 4];
		u32 count, size;
	} func, line;
	int code;
	const char *log;
};

#define PROGRAM(insns) insns, ARRAY_SIZE(insns)
#define FUNCS(count, ...)               \
	{                               \
		{__VA_ARGS__}, count, 8 \
	}
#define LINES(count, ...)                \
	{                                \
		{__VA_ARGS__}, count, 16 \
	}
#define NONE              \
	{                 \
		{0}, 0, 0 \
	}
#define LINE(insn) insn, NAME_INT, NAME_INT, 1 << 10

static const struct info_row rows[] = {
	{"nothing", PROGRAM(one), NONE, NONE, 0, ""},
	{"one function", PROGRAM(one), FUNCS(1, 0, TYPE_MAIN), LINES(2, LINE(0), LINE(1)), 0,
	 ""},
	{"two functions", PROGRAM(two), FUNCS(2, 0, TYPE_MAIN, 2, TYPE_SUB),
	 LINES(2, LINE(0), LINE(2)), 0, ""},
	{"lines without functions", PROGRAM(two), NONE, LINES(2, LINE(0), LINE(2)), 0, ""},
	{"short record",
	 PROGRAM(one),
	 {{0, TYPE_MAIN}, 1, 4},
	 NONE,
	 -EINVAL,
	 "invalid func info rec size 4\n"},
	{"record of odd size",
	 PROGRAM(one),
	 {{0, TYPE_MAIN}, 1, 10},
	 NONE,
	 -EINVAL,
	 "invalid func info rec size 10\n"},
	{"long record", PROGRAM(one), {{0, TYPE_MAIN, 0}, 1, 12}, NONE, 0, ""},
	{"record with unknown content",
	 PROGRAM(one),
	 {{0, TYPE_MAIN, 1}, 1, 12},
	 NONE,
	 -E2BIG,
	 "nonzero tailing record in func info\n"},
	{"first not at 0", PROGRAM(one), FUNCS(1, 1, TYPE_MAIN), NONE, -EINVAL,
	 "nonzero insn_off 1 for the first func info record\n"},
	{"no such type", PROGRAM(one), FUNCS(1, 0, 99), NONE, -EINVAL,
	 "invalid type id 99 in func info\n"},
	{"not a function", PROGRAM(one), FUNCS(1, 0, TYPE_INT), NONE, -EINVAL,
	 "invalid type id 1 in func info\n"},
	{"not in order", PROGRAM(two), FUNCS(2, 0, TYPE_MAIN, 0, TYPE_SUB), NONE, -EINVAL,
	 "same or smaller insn offset (0) than previous func info record (0)\n"},
	{"too many functions", PROGRAM(one), FUNCS(2, 0, TYPE_MAIN, 1, TYPE_SUB), NONE, -EINVAL,
	 "number of funcs in func_info doesn't match number of subprogs\n"},
	{"too few functions", PROGRAM(two), FUNCS(1, 0, TYPE_MAIN), NONE, -EINVAL,
	 "number of funcs in func_info doesn't match number of subprogs\n"},
	{"function elsewhere", PROGRAM(two), FUNCS(2, 0, TYPE_MAIN, 1, TYPE_SUB), NONE, -EINVAL,
	 "func_info BTF section doesn't match subprog layout in BPF program\n"},
	{"tail call without types", PROGRAM(tail_call), NONE, NONE, -EINVAL,
	 "tail_call is not allowed in subprogs without BTF\n"},
	{"tail call in a procedure", PROGRAM(tail_call),
	 FUNCS(2, 0, TYPE_MAIN, 2, TYPE_PROCEDURE), NONE, -EINVAL,
	 "tail_call is only allowed in functions that return 'int'.\n"},
	{"tail call in a function", PROGRAM(tail_call), FUNCS(2, 0, TYPE_MAIN, 2, TYPE_SUB),
	 NONE, 0, ""},
	{"LD_ABS without types", PROGRAM(ld_abs), NONE, NONE, -EINVAL,
	 "LD_ABS is not allowed in subprogs without BTF\n"},
	{"LD_ABS in a procedure", PROGRAM(ld_abs), FUNCS(2, 0, TYPE_MAIN, 2, TYPE_PROCEDURE),
	 NONE, -EINVAL, "LD_ABS is only allowed in functions that return 'int'.\n"},
	{"lines not in order", PROGRAM(one), FUNCS(1, 0, TYPE_MAIN), LINES(2, LINE(0), LINE(0)),
	 -EINVAL, "Invalid line_info[1].insn_off:0 (prev_offset:0 prog->len:2)\n"},
	{"line beyond the end", PROGRAM(one), FUNCS(1, 0, TYPE_MAIN),
	 LINES(2, LINE(0), LINE(2)), -EINVAL,
	 "Invalid line_info[1].insn_off:2 (prev_offset:0 prog->len:2)\n"},
	{"line in the middle", PROGRAM(wide), FUNCS(1, 0, TYPE_MAIN),
	 LINES(2, LINE(0), LINE(1)), -EINVAL, "Invalid insn code at line_info[1].insn_off\n"},
	{"line with no text", PROGRAM(one), FUNCS(1, 0, TYPE_MAIN),
	 LINES(1, 0, NAME_INT, STRINGS, 0), -EINVAL,
	 "Invalid line_info[0].line_off or .file_name_off\n"},
	{"no line for the first", PROGRAM(one), FUNCS(1, 0, TYPE_MAIN), LINES(1, LINE(1)),
	 -EINVAL, "missing bpf_line_info for func#0\n"},
	{"line after the start", PROGRAM(two), FUNCS(2, 0, TYPE_MAIN, 2, TYPE_SUB),
	 LINES(2, LINE(0), LINE(3)), -EINVAL, "missing bpf_line_info for func#1\n"},
	{"no line for the second", PROGRAM(two), FUNCS(2, 0, TYPE_MAIN, 2, TYPE_SUB),
	 LINES(2, LINE(0), LINE(1)), -EINVAL,
	 "missing bpf_line_info for 1 funcs starting from func#1\n"},
	{"line record with unknown content",
	 PROGRAM(one),
	 FUNCS(1, 0, TYPE_MAIN),
	 {{LINE(0), 1}, 1, 20},
	 -E2BIG,
	 "nonzero tailing record in line_info\n"},
	{"short line record",
	 PROGRAM(one),
	 FUNCS(1, 0, TYPE_MAIN),
	 {{LINE(0)}, 1, 12},
	 -EINVAL,
	 "invalid size of line_info records: 12\n"},
};

struct result {
	int ret;
	struct strbuf log;
	struct arena arena;
	struct cfg cfg;
};

static void check(const struct info_row *row, const struct btf_view *btf, struct result *out)
{
	struct verify_input input = {
		.insns = row->insns,
		.insn_cnt = row->insn_cnt,
		.rights = SKEP_RIGHTS_ALL,
		.btf = btf,
		.func_info = row->func.words,
		.func_info_cnt = row->func.count,
		.func_info_rec_size = row->func.size,
		.line_info = row->line.words,
		.line_info_cnt = row->line.count,
		.line_info_rec_size = row->line.size,
		.log_level = VERIFY_LOG_PATH,
		.log = &out->log,
	};
	struct skep_error err;

	strbuf_init(&out->log);
	arena_init(&out->arena);
	out->ret = btf_info_check_records(&input, &err);
	if (!out->ret)
		out->ret = cfg_find_subprogs(&input, &out->arena, &out->cfg, &err);
	if (!out->ret)
		out->ret = btf_info_check_subprogs(&input, &out->cfg, &out->arena, &err);
}

static void result_done(struct result *result)
{
	strbuf_done(&result->log);
	arena_done(&result->arena);
}

static void records_are_judged_as_linux_does(void **state)
{
	struct btf_view *btf = new_btf();
	struct result result;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		check(&rows[i], btf, &result);
		if (result.ret != rows[i].code || strcmp(strbuf_text(&result.log), rows[i].log))
			fail_msg("%s: %d, log: %s", rows[i].name, result.ret,
				 strbuf_text(&result.log));
		result_done(&result);
	}
	btf_view_free(btf);
}

static void subprograms_get_names_and_linkage(void **state)
{
	static const struct info_row row = {
		"", PROGRAM(two), FUNCS(2, 0, TYPE_MAIN, 2, TYPE_SUB), NONE, 0, ""};
	struct btf_view *btf = new_btf();
	struct result result;

	check(&row, btf, &result);
	assert_int_equal(result.ret, 0);
	assert_string_equal(result.cfg.subprogs[0].name, "main");
	assert_string_equal(result.cfg.subprogs[1].name, "sub");
	assert_true(result.cfg.subprogs[0].is_global);
	assert_false(result.cfg.subprogs[1].is_global);
	result_done(&result);
	btf_view_free(btf);
}

static void records_need_types(void **state)
{
	static const struct info_row row = {
		"", PROGRAM(one), FUNCS(1, 0, TYPE_MAIN), NONE, 0, ""};
	struct result result;

	check(&row, NULL, &result);
	assert_int_equal(result.ret, -EINVAL);
	assert_string_equal(strbuf_text(&result.log), "func info without BTF\n");
	result_done(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_judged_as_linux_does),
		cmocka_unit_test(records_need_types),
		cmocka_unit_test(subprograms_get_names_and_linkage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
