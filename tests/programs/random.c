/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs on skep and on Linux:
 *
 *	random_programs FIRST_SEED COUNT
 *
 * What both accept must leave the same packets and the same map behind, in skep's interpreter
 * and in its checked build; what only skep accepts (it knows more of some numbers) must run
 * there without an access outside. Programs that only one accepts are counted. As TAP, one
 * line for all.
 */
#include "generate.h"
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUTS	 4
#define LOG_SIZE (1u << 20)

struct result {
	int verdict; /* 0 or the errno of loading */
	int error;   /* of running */
	char text[SKEP_ERROR_TEXT];
	u64 packets[INPUTS][GENERATED_WORDS];
	u8 value[GENERATED_VALUE];
};

/* A target and the one map there. */
struct place {
	struct target target;
	int map_fd;
};

struct tally {
	u64 accepted, refused, only_skep_refused, only_linux_refused, wrong;
};

/* --- one program on one target --- */

static const u32 first_key;

static int write_value(const struct place *place, u8 *value)
{
	union bpf_attr attr = {.map_fd = place->map_fd,
			       .key = ptr_to_u64(&first_key),
			       .value = ptr_to_u64(value)};

	return target_bpf(&place->target, BPF_MAP_UPDATE_ELEM, &attr);
}

static int read_value(const struct place *place, u8 *value)
{
	union bpf_attr attr = {.map_fd = place->map_fd,
			       .key = ptr_to_u64(&first_key),
			       .value = ptr_to_u64(value)};

	return target_bpf(&place->target, BPF_MAP_LOOKUP_ELEM, &attr);
}

static int load(const struct place *place, struct generated program, char *log)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .insns = ptr_to_u64(program.insns),
			       .insn_cnt = program.count,
			       .license = ptr_to_u64("GPL"),
			       .log_level = log ? 1 : 0,
			       .log_buf = ptr_to_u64(log),
			       .log_size = log ? LOG_SIZE : 0};

	for (u32 at = 0; at < program.count; at++)
		if (insn_op(&program.insns[at]) == INSN_LD_MAP_VALUE)
			program.insns[at].imm = place->map_fd;
	return target_bpf(&place->target, BPF_PROG_LOAD, &attr);
}

static int run_once(const struct place *place, int fd, const u64 *in, u64 *out)
{
	union bpf_attr attr = {0};
	int error;

	attr.test.prog_fd = fd;
	attr.test.data_in = ptr_to_u64(in);
	attr.test.data_size_in = GENERATED_PACKET;
	attr.test.data_out = ptr_to_u64(out);
	attr.test.data_size_out = GENERATED_PACKET;
	error = target_bpf(&place->target, BPF_PROG_TEST_RUN, &attr);
	return error < 0 ? error : attr.test.retval == 2 ? 0 : -EPROTO;
}

static void run_on(const struct place *place, const struct generated *program,
		   const u64 inputs[INPUTS][GENERATED_WORDS], struct result *out)
{
	u8 zeros[GENERATED_VALUE] = {0};
	int fd = load(place, *program, NULL);

	memset(out, 0, sizeof(*out));
	out->verdict = min(fd, 0);
	if (fd < 0)
		return;
	out->error = write_value(place, zeros);
	for (u32 i = 0; i < INPUTS && !out->error; i++)
		out->error = run_once(place, fd, inputs[i], out->packets[i]);
	if (!out->error)
		out->error = read_value(place, out->value);
	if (out->error)
		snprintf(out->text, sizeof(out->text), "%s", target_error(&place->target));
	close(fd);
}

/* --- comparing --- */

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

/* What a target said of a program that it refuses: the log without what it walked over. */
static void print_refusal(const struct place *place, const struct generated *program)
{
	static char log[LOG_SIZE];
	int fd = load(place, *program, log);

	if (fd >= 0)
		close(fd);
	for (char *line = strtok(log, "\n"); line && fd < 0; line = strtok(NULL, "\n"))
		if (strspn(line, "0123456789") == 0 && strncmp(line, "from ", 5))
			printf("# %s: %s\n", place->target.name, line);
}

static void print_difference(const struct result *kernel, const struct result *skep,
			     const u64 inputs[INPUTS][GENERATED_WORDS])
{
	printf("# verdicts %d and %d, errors %d and %d %s\n", kernel->verdict, skep->verdict,
	       kernel->error, skep->error, skep->text);
	if (kernel->verdict || skep->error)
		return;
	for (u32 i = 0; i < INPUTS; i++)
		for (u32 word = 0; word < GENERATED_WORDS; word++)
			if (kernel->packets[i][word] != skep->packets[i][word])
				printf("# input %u, word %u: in %#llx, Linux %#llx, skep %#llx\n",
				       i, word, inputs[i][word], kernel->packets[i][word],
				       skep->packets[i][word]);
	for (u32 i = 0; i < GENERATED_VALUE; i++)
		if (kernel->value[i] != skep->value[i])
			printf("# byte %u of the map: Linux %02x, skep %02x\n", i,
			       kernel->value[i], skep->value[i]);
}

static bool is_wrong(const struct result *kernel, const struct result *skep)
{
	if (kernel->verdict || skep->verdict)
		return skep->error;
	return kernel->error || skep->error ||
	       memcmp(kernel->packets, skep->packets, sizeof(kernel->packets)) ||
	       memcmp(kernel->value, skep->value, sizeof(kernel->value));
}

static void count(const struct result *kernel, const struct result *skep, struct tally *tally)
{
	if (kernel->verdict && skep->verdict)
		tally->refused++;
	else if (kernel->verdict)
		tally->only_linux_refused++;
	else if (skep->verdict)
		tally->only_skep_refused++;
	else
		tally->accepted++;
}

static void compare(u64 seed, const struct place *places, u32 place_cnt, struct tally *tally)
{
	static struct generated program;
	static struct result kernel, skep;
	u64 inputs[INPUTS][GENERATED_WORDS];
	bool wrong = false;

	generate(seed, &program);
	for (u32 i = 0; i < INPUTS; i++)
		for (u32 word = 0; word < GENERATED_WORDS; word++)
			inputs[i][word] = generate_word();
	run_on(&places[0], &program, inputs, &kernel);
	for (u32 i = 1; i < place_cnt; i++) {
		run_on(&places[i], &program, inputs, &skep);
		if (!is_wrong(&kernel, &skep))
			continue;
		printf("# seed %llu: Linux and %s differ\n", seed, places[i].target.name);
		print_difference(&kernel, &skep, inputs);
		wrong = true;
	}
	count(&kernel, &skep, tally);
	tally->wrong += wrong;
	if (wrong || (skep.verdict && !kernel.verdict)) {
		printf("# seed %llu\n", seed);
		print_refusal(&places[1], &program);
		print_program(&program);
	}
}

static int place_open(const char *name, struct place *out)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = sizeof(first_key),
			       .value_size = GENERATED_VALUE,
			       .max_entries = 1};
	int error = target_open(name, &out->target);

	if (error)
		return error;
	out->map_fd = target_bpf(&out->target, BPF_MAP_CREATE, &attr);
	if (out->map_fd < 0)
		target_close(&out->target);
	return min(out->map_fd, 0);
}

static void place_close(struct place *place)
{
	close(place->map_fd);
	target_close(&place->target);
}

static bool compare_all(u64 first, u64 seeds, const struct place *places, u32 place_cnt)
{
	struct tally tally = {0};

	for (u64 seed = first; seed < first + seeds; seed++)
		compare(seed, places, place_cnt, &tally);
	printf("# accepted %llu, refused %llu, only by skep %llu, only by Linux %llu\n",
	       tally.accepted, tally.refused, tally.only_skep_refused,
	       tally.only_linux_refused);
	printf("%s 1 - %llu random programs do the same on skep and on Linux\n1..1\n",
	       tally.wrong ? "not ok" : "ok", seeds);
	return !tally.wrong;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"linux", "skep", "checked"};
	struct place places[ARRAY_SIZE(names)];
	u32 open = 0;
	bool done = true;

	if (argc != 3) {
		fprintf(stderr, "usage: random_programs FIRST_SEED COUNT\n");
		return 2;
	}
	while (open < ARRAY_SIZE(names) && !place_open(names[open], &places[open]))
		open++;
	if (open < ARRAY_SIZE(names))
		printf("ok 1 - random programs # SKIP no %s here\n1..1\n", names[open]);
	else
		done = compare_all(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0),
				   places, open);
	while (open)
		place_close(&places[--open]);
	return !done;
}
