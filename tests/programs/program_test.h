/* SPDX-License-Identifier: BSD-2-Clause */
/* A program test in memory: README.md beside this file says what each part means. */
#ifndef SKEP_TESTS_PROGRAM_TEST_H
#define SKEP_TESTS_PROGRAM_TEST_H

#include "base/arena.h"
#include "isa/isa.h"
#include "target.h"
#include <linux/bpf.h>
#include <skep/error.h>

#define TEST_MAPS 8
#define TEST_RUNS 64

struct bytes {
	const u8 *data;
	u32 size;
	bool given;
};

struct test_element {
	struct bytes key, value;
	struct test_element *next;
};

struct test_map {
	u32 type, key_size, value_size, entries, flags;
	struct test_element *elements;
};

struct test_run {
	struct bytes data, ctx, out;
	u32 result;
	bool has_result;
};

struct program_test {
	struct arena arena; /* owns what the pointers below point to, except insns */
	const char *title, *covers, *license, *reason, *message;
	u32 type, attach_type, flags;
	u32 rights; /* of the loader: enum skep_rights */
	bool accepted, accepted_by_linux;
	struct test_map maps[TEST_MAPS];
	u32 map_cnt;
	struct test_run runs[TEST_RUNS];
	u32 run_cnt;
	struct bpf_insn *insns; /* owned; map operands are numbers of maps */
	u32 insn_cnt;
};

/* 0 or a negative errno with `err`; release with program_test_done() either way. */
int program_test_read(const char *path, struct program_test *out, struct skep_error *err);
void program_test_done(struct program_test *test);

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_SKIP };

/* `why` gets a text when the outcome is no pass. */
enum outcome program_test_run(const struct program_test *test, const struct target *target,
			      struct strbuf *why);

#endif
