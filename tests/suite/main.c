/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the cases of a file (cases.c) as filters of sockets, by all of skep's executors and by the
 * running kernel, as TAP. What Linux gives counts where it gives something else than the case
 * says: there it runs on a packet that the case does not know. Programs that nobody can prove
 * safe are refused by Linux, too.
 */
#include "suite.h"
#include "tests/programs/target.h"

#include <linux/if_ether.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"linux", "checked", "interpreted", "base", "skep"};

struct suite {
	struct target targets[ARRAY_SIZE(names)];
	bool is_open[ARRAY_SIZE(names)];
	u64 cases, refused, run, failed;
	u64 only_here, only_linux; /* accepted */
};

static int load(const struct target *target, const struct suite_case *test,
		const struct bpf_insn *insns)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			       .insns = ptr_to_u64(insns),
			       .insn_cnt = test->insn_cnt,
			       .license = ptr_to_u64("GPL")};

	return target_bpf(target, BPF_PROG_LOAD, &attr);
}

/* False: it does not run. */
static bool run(const struct target *target, int prog, const struct suite_case *test, u32 number,
		u32 *out)
{
	u8 packet[ETH_HLEN + SUITE_DATA] = {0};
	union bpf_attr attr = {.test = {.prog_fd = (u32)prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = ETH_HLEN + max(test->sizes[number], 1u)}};

	memcpy(packet + ETH_HLEN, test->data, test->sizes[number]);
	if (target_bpf(target, BPF_PROG_TEST_RUN, &attr))
		return false;
	*out = attr.test.retval;
	return true;
}

/* Where it stands in `names`, a failing target's results are told. */
static void compare(struct suite *suite, u32 at, int prog, const struct suite_case *test,
		    u32 *wanted, bool *is_known)
{
	for (u32 i = 0; i < test->run_cnt; i++) {
		u32 result;

		if (!run(&suite->targets[at], prog, test, i, &result))
			continue;
		if (!is_known[i]) {
			/* The first is Linux, where there is one. */
			wanted[i] = at ? test->results[i] : result;
			is_known[i] = true;
		}
		suite->run++;
		if (result == wanted[i])
			continue;
		suite->failed++;
		printf("# %s, run %u: %s gives %#x, not %#x\n", test->name, i, names[at], result,
		       wanted[i]);
	}
}

static void run_case(struct suite *suite, const struct suite_case *test,
		     const struct bpf_insn *insns)
{
	u32 wanted[SUITE_RUNS] = {0}, accepted = 0;
	bool is_known[SUITE_RUNS] = {false};

	for (u32 at = 0; at < ARRAY_SIZE(names); at++) {
		int prog = suite->is_open[at] ? load(&suite->targets[at], test, insns) : -1;

		if (prog < 0)
			continue;
		accepted |= 1u << at;
		compare(suite, at, prog, test, wanted, is_known);
		close(prog);
	}
	suite->cases++;
	suite->refused += !accepted;
	suite->only_linux += accepted == 1;
	suite->only_here += suite->is_open[0] && accepted && !(accepted & 1);
	if (accepted == 1)
		printf("# %s: only Linux accepts it: %s\n", test->name,
		       target_error(&suite->targets[1]));
}

static bool read_case(FILE *file, struct suite_case *test, struct bpf_insn **insns)
{
	if (fread(test, sizeof(*test), 1, file) != 1 || test->insn_cnt > SUITE_INSNS)
		return false;
	*insns = malloc(test->insn_cnt * sizeof(**insns));
	if (!*insns || fread(*insns, sizeof(**insns), test->insn_cnt, file) != test->insn_cnt) {
		free(*insns);
		return false;
	}
	test->name[sizeof(test->name) - 1] = '\0';
	return true;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	struct suite suite = {0};
	struct suite_case test;
	struct bpf_insn *insns;

	if (!file) {
		fprintf(stderr, "usage: suite CASES\n");
		return 2;
	}
	for (u32 at = 0; at < ARRAY_SIZE(names); at++)
		suite.is_open[at] = !target_open(names[at], SKEP_RIGHTS_ALL, &suite.targets[at]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..2\n");
	while (read_case(file, &test, &insns)) {
		run_case(&suite, &test, insns);
		free(insns);
	}
	printf("# %llu cases, of which %llu nobody accepts; %llu runs; accepted by skep only: %llu, by "
	       "Linux only: %llu\n",
	       suite.cases, suite.refused, suite.run, suite.only_here, suite.only_linux);
	printf("%s 1 - all executors give what Linux and the cases say\n",
	       suite.failed ? "not ok" : "ok");
	printf("%s 2 - cases that Linux accepts are accepted\n",
	       suite.only_linux || !suite.run ? "not ok" : "ok");
	for (u32 at = 0; at < ARRAY_SIZE(names); at++)
		if (suite.is_open[at])
			target_close(&suite.targets[at]);
	fclose(file);
	return suite.failed || suite.only_linux || !suite.run;
}
