/* SPDX-License-Identifier: BSD-2-Clause */
/* What is alive before each instruction. Registers are written as Linux's log shows them. */
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/liveness.h"
#include <skep/skep.h>

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 10

struct regs_row {
	const char *name, *text;
	const char *alive[LINES_MAX]; /* per element of the instruction array */
};

static const struct regs_row regs_rows[] = {
	{"straight",
	 "r0 = 0\n"
	 "exit\n",
	 {"..........", "0........."}},
	{"branches join",
	 "r2 = 1\n"
	 "if r1 == 0 goto +1\n"
	 "r2 = 2\n"
	 "r0 = r2\n"
	 "exit\n",
	 {".1........", ".12.......", "..........", "..2.......", "0........."}},
	{"loop",
	 "r0 = 0\n"
	 "r0 += 1\n"
	 "if r0 < r1 goto -2\n"
	 "exit\n",
	 {".1........", "01........", "01........", "0........."}},
	{"helper reads its arguments and clobbers the rest",
	 "r6 = r1\n"
	 "call 14\n"
	 "r0 = r6\n"
	 "exit\n",
	 {".1........", "......6...", "......6...", "0........."}},
	{"cmpxchg reads and writes r0",
	 "r0 = 0\n"
	 "r0 = cmpxchg_64(r1 + 0, r0, r2)\n"
	 "exit\n",
	 {".12.......", "012.......", "0........."}},
	{"packet load reads r6",
	 "r6 = r1\n"
	 "r0 = *(u8 *)skb[0]\n"
	 "exit\n",
	 {".1........", "......6...", "0........."}},
	{"callee takes all arguments",
	 "call pc+1\n"
	 "exit\n"
	 "r0 = r1\n"
	 "exit\n",
	 {".12345....", "0.........", ".1........", "0........."}},
	{"half of a register keeps it alive",
	 "w1 += 1\n"
	 "*(u8 *)(r10 - 1) = w1\n"
	 "r0 = 0\n"
	 "exit\n",
	 {".1........", ".1........", "..........", "0........."}},
};

struct program {
	struct arena arena;
	struct bpf_insn *insns;
	u32 count;
	struct cfg cfg;
	struct liveness live;
};

static const struct map_desc map = {
	.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 16, .max_entries = 1};

/* What resolve.c would say: every map that is named is this one. */
static struct insn_fact *find_maps(struct program *program)
{
	struct insn_fact *facts = arena_array(&program->arena, program->count, sizeof(*facts));

	for (u32 at = 0; at < program->count; at++)
		if (insn_is_wide(&program->insns[at]) &&
		    program->insns[at].src_reg == BPF_PSEUDO_MAP_FD)
			insn_fact_set_map(&facts[at], &map);
	return facts;
}

static void analyse(struct program *program, const char *name, const char *text)
{
	struct skep_error err;
	struct verify_input input = {.rights = SKEP_RIGHTS_ALL};

	arena_init(&program->arena);
	if (insns_assemble(text, &program->insns, &program->count, &err))
		fail_msg("%s: %s: %s", name, err.where, err.text);
	input.insns = program->insns;
	input.insn_cnt = program->count;
	if (cfg_find_subprogs(&input, &program->arena, &program->cfg, &err) ||
	    cfg_check_edges(&program->cfg, true, &program->arena, NULL, &err))
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(liveness_compute(&program->cfg, find_maps(program), false,
					  &program->arena, &program->live),
			 0);
}

static void program_done(struct program *program)
{
	arena_done(&program->arena);
	free(program->insns);
}

static void regs_text(u16 regs, char out[11])
{
	for (u32 i = 0; i < 10; i++)
		out[i] = regs >> i & 1 ? (char)('0' + i) : '.';
	out[10] = 0;
}

static void registers_live_as_in_linux(void **state)
{
	struct program program;
	char text[11];

	for (u32 i = 0; i < ARRAY_SIZE(regs_rows); i++) {
		const struct regs_row *row = &regs_rows[i];

		analyse(&program, row->name, row->text);
		for (u32 at = 0; at < program.count; at++) {
			regs_text(program.live.regs[at], text);
			if (strcmp(text, row->alive[at]))
				fail_msg("%s, insn %u: %s", row->name, at, text);
		}
		program_done(&program);
	}
}

struct slots_row {
	const char *name, *text;
	u64 alive[LINES_MAX];
};

static const struct slots_row slots_rows[] = {
	{"from the last write to the last read",
	 "*(u64 *)(r10 - 8) = r1\n"
	 "r1 = 0\n"
	 "r0 = *(u64 *)(r10 - 8)\n"
	 "exit\n",
	 {0, 1, 1, 0}},
	{"half a slot does not end it",
	 "*(u32 *)(r10 - 8) = r1\n"
	 "r0 = *(u64 *)(r10 - 8)\n"
	 "exit\n",
	 {1, 1, 0}},
	{"through a copy of r10",
	 "r2 = r10\n"
	 "r2 += -16\n"
	 "*(u64 *)(r2 + 0) = r1\n"
	 "r0 = *(u64 *)(r2 + 8)\n"
	 "r0 = *(u64 *)(r10 - 16)\n"
	 "exit\n",
	 {3, 3, 3, 3, 2, 0}},
	{"through an unknown distance",
	 "r2 = r10\n"
	 "r2 -= r1\n"
	 "r0 = *(u8 *)(r2 + 0)\n"
	 "exit\n",
	 {~0ull, ~0ull, ~0ull, 0}},
	{"through a spilled pointer",
	 "r2 = r10\n"
	 "r2 += -24\n"
	 "*(u64 *)(r10 - 8) = r2\n"
	 "r3 = *(u64 *)(r10 - 8)\n"
	 "r0 = *(u64 *)(r3 + 0)\n"
	 "exit\n",
	 {4, 4, 4, 5, 4, 0}},
	{"a helper reads its key",
	 "r1 = 0 ll\n"
	 "r2 = r10\n"
	 "r2 += -16\n"
	 "call 1\n"
	 "r0 = 0\n"
	 "exit\n",
	 {3, 0, 3, 3, 3, 0, 0}},
	{"a key is as long as the map says",
	 "r1 = map_fd 0 ll\n"
	 "r2 = r10\n"
	 "r2 += -16\n"
	 "call 1\n"
	 "exit\n",
	 {2, 0, 2, 2, 2, 0}},
	{"a value is as long as the map says",
	 "r2 = r10\n"
	 "r2 += -8\n"
	 "r3 = r10\n"
	 "r3 += -32\n"
	 "r1 = map_fd 0 ll\n"
	 "call 2\n"
	 "exit\n",
	 {0xd, 0xd, 0xd, 0xd, 0xd, 0, 0xd, 0}},
	{"which map is not known where paths meet",
	 "r1 = map_fd 0 ll\n"
	 "if r3 == 0 goto +2\n"
	 "r2 = r10\n"
	 "goto +1\n"
	 "r2 = r10\n"
	 "r2 += -16\n"
	 "call 1\n"
	 "exit\n",
	 {3, 0, 3, 3, 3, 3, 3, 3, 0}},
	{"a callee may read everything",
	 "r1 = r10\n"
	 "call pc+1\n"
	 "exit\n"
	 "r0 = *(u64 *)(r1 - 8)\n"
	 "exit\n",
	 {~0ull, ~0ull, 0, 0, 0}},
	{"a callee that is given nothing reads nothing",
	 "r2 = r10\n"
	 "call pc+1\n"
	 "exit\n"
	 "r0 = r1\n"
	 "exit\n",
	 {0, 0, 0, 0, 0}},
	{"a load from elsewhere reads no slot",
	 "r2 = *(u64 *)(r1 + 0)\n"
	 "r0 = *(u64 *)(r2 + 0)\n"
	 "exit\n",
	 {0, 0, 0}},
	{"one path or the other",
	 "r2 = r10\n"
	 "if r1 == 0 goto +1\n"
	 "r2 = r3\n"
	 "r0 = *(u64 *)(r2 - 8)\n"
	 "exit\n",
	 {1, 1, 1, 1, 0}},
};

static void slots_live_while_they_are_read(void **state)
{
	struct program program;

	for (u32 i = 0; i < ARRAY_SIZE(slots_rows); i++) {
		const struct slots_row *row = &slots_rows[i];

		analyse(&program, row->name, row->text);
		for (u32 at = 0; at < program.count; at++) {
			if (program.live.slots[at] != row->alive[at])
				fail_msg("%s, insn %u: %#llx", row->name, at,
					 program.live.slots[at]);
		}
		program_done(&program);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_live_as_in_linux),
		cmocka_unit_test(slots_live_while_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
