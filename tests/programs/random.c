/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs on skep and on Linux:
 *
 *	random_programs FIRST_SEED COUNT
 *
 * All must be accepted, and leave the same packets behind: on Linux, in skep's interpreter and
 *in its checked build. As TAP, one line for all.
 */
#include "generate.h"
#include "target.h"
#include "tests/linux.h"

#include <errno.h>
#include <skep/error.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUTS 4

struct result {
	int error; /* of loading or running */
	char text[SKEP_ERROR_TEXT];
	u64 packets[INPUTS][GENERATED_WORDS];
};

static int load(const struct target *target, const struct generated *program)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .insns = ptr_to_u64(program->insns),
			       .insn_cnt = program->count,
			       .license = ptr_to_u64("GPL")};

	return target_bpf(target, BPF_PROG_LOAD, &attr);
}

static int run_once(const struct target *target, int fd, const u64 *in, u64 *out)
{
	union bpf_attr attr = {0};
	int error;

	attr.test.prog_fd = fd;
	attr.test.data_in = ptr_to_u64(in);
	attr.test.data_size_in = GENERATED_PACKET;
	attr.test.data_out = ptr_to_u64(out);
	attr.test.data_size_out = GENERATED_PACKET;
	error = target_bpf(target, BPF_PROG_TEST_RUN, &attr);
	return error < 0 ? error : attr.test.retval == 2 ? 0 : -EPROTO;
}

static void run_on(const struct target *target, const struct generated *program,
		   const u64 inputs[INPUTS][GENERATED_WORDS], struct result *out)
{
	int fd = load(target, program);

	memset(out, 0, sizeof(*out));
	out->error = min(fd, 0);
	for (u32 i = 0; i < INPUTS && !out->error; i++)
		out->error = run_once(target, fd, inputs[i], out->packets[i]);
	if (out->error)
		snprintf(out->text, sizeof(out->text), "%s", target_error(target));
	if (fd >= 0)
		close(fd);
}

static void print_program(const struct generated *program)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 at = 0; at < program->count; at += insn_slots(&program->insns[at])) {
		strbuf_addf(&text, "# %3u: ", at);
		insn_print(program->insns, program->count, at, INSN_SYNTAX_LLVM, NULL, &text);
		strbuf_addc(&text, '\n');
	}
	fputs(strbuf_text(&text), stdout);
	strbuf_done(&text);
}

static void print_difference(const struct result *kernel, const struct result *skep,
			     const u64 inputs[INPUTS][GENERATED_WORDS])
{
	printf("# errors %d and %d %s\n", kernel->error, skep->error, skep->text);
	for (u32 i = 0; i < INPUTS && !kernel->error && !skep->error; i++)
		for (u32 word = 0; word < GENERATED_WORDS; word++)
			if (kernel->packets[i][word] != skep->packets[i][word])
				printf("# input %u, word %u: in %#llx, Linux %#llx, skep %#llx\n",
				       i, word, inputs[i][word], kernel->packets[i][word],
				       skep->packets[i][word]);
}

static bool is_same(const struct result *kernel, const struct result *skep)
{
	return !kernel->error && !skep->error &&
	       !memcmp(kernel->packets, skep->packets, sizeof(kernel->packets));
}

/* targets[0] is Linux. */
static bool compare(u64 seed, const struct target *targets, u32 target_cnt)
{
	static struct generated program;
	static struct result kernel, skep;
	u64 inputs[INPUTS][GENERATED_WORDS];
	bool same = true;

	generate(seed, &program);
	for (u32 i = 0; i < INPUTS; i++)
		for (u32 word = 0; word < GENERATED_WORDS; word++)
			inputs[i][word] = generate_word();
	run_on(&targets[0], &program, inputs, &kernel);
	for (u32 i = 1; i < target_cnt; i++) {
		run_on(&targets[i], &program, inputs, &skep);
		if (is_same(&kernel, &skep))
			continue;
		printf("# seed %llu: Linux and %s differ\n", seed, targets[i].name);
		print_difference(&kernel, &skep, inputs);
		same = false;
	}
	if (!same)
		print_program(&program);
	return same;
}

static bool compare_all(u64 first, u64 count, const struct target *targets, u32 target_cnt)
{
	bool same = true;

	for (u64 seed = first; seed < first + count; seed++)
		same &= compare(seed, targets, target_cnt);
	printf("%s 1 - %llu random programs do the same on skep and on Linux\n1..1\n",
	       same ? "ok" : "not ok", count);
	return same;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"linux", "skep", "interpreted", "checked"};
	struct target targets[ARRAY_SIZE(names)];
	u32 open = 0;
	bool same = true;

	if (argc != 3) {
		fprintf(stderr, "usage: random_programs FIRST_SEED COUNT\n");
		return 2;
	}
	while (open < ARRAY_SIZE(names) &&
	       !target_open(names[open], SKEP_RIGHTS_ALL, &targets[open]))
		open++;
	if (open < ARRAY_SIZE(names))
		printf("ok 1 - random programs # SKIP no %s here\n1..1\n", names[open]);
	else if (!linux_has_isa())
		printf("ok 1 - random programs # SKIP this kernel lacks instructions\n1..1\n");
	else
		same = compare_all(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0),
				   targets, open);
	while (open)
		target_close(&targets[--open]);
	return !same;
}
