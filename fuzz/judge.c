/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier on random programs (generate.h), judged twice:
 *
 *  - what skep accepts, Linux accepts (where bpf(2) may be used);
 *  - what skep accepts does nothing that its facts exclude, and gives Linux's result: the
 *checked interpreter runs it on random packets and map values.
 *
 *	judge [--seed N] [--count N] [--runs N] [--alone] [--rights RIGHT[,RIGHT...]] [--show]
 *
 * --runs: of each program. --alone: without Linux.
 * --rights: those of the loader, on both sides (bpf, perfmon, net-admin; all if not given).
 * --show prints the program of the first seed with both logs and stops.
 */
#include "base/error.h"
#include "catalog/prog.h"
#include "fuzz/difference.h"
#include "fuzz/inputs.h"
#include "fuzz/verdict.h"
#include "fuzz/world.h"
#include "isa/isa.h"
#include "map/map.h"
#include "sys/engine.h"
#include "tests/linux.h"
#include "verify/verify.h"
#include <skep/skep.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define LOG_SIZE	 (16u << 20)
#define PACKET_SIZE	 128
#define PACKET_LEAST	 14
#define TEDIOUS_EVERY	 512	/* programs: one that takes as long as it needs */
#define TEDIOUS_INSNS	 20000	/* walked by skep */
#define TEDIOUS_US	 100000 /* used by Linux */
#define LINUX_RUNS_EVERY 8	/* programs: Linux takes its time */

struct options {
	u64 seed, count;
	u32 rights; /* enum skep_rights */
	u32 runs;   /* of each program */
	bool alone, show;
};

struct judge {
	struct options options;
	bool has_linux;
	struct world world;
	char *linux_log, *linux_path, *answer; /* to a question about a difference */
	struct strbuf log, path, violation;
	struct inputs inputs;

	u64 accepted_by_both, rejected_by_both, only_linux, only_skep, left_out, not_looked_at;
	u64 explained[VERDICT_CLASSES];
	u64 runs, violations, wrong_results;
};

/* --- verdicts --- */

/* `insns`: how many may be walked; 0: as many as Linux allows. */
static int verify(struct judge *judge, const struct generated *program, u32 flags, u64 insns,
		  u32 log_level, struct verified **out)
{
	struct explanation *explanation = NULL; /* only that it can be made */
	struct verify_input input = world_input(&judge->world, program);
	struct skep_error err;
	int ret;

	input.flags |= flags;
	input.rights = judge->options.rights;
	input.log_level = log_level;
	input.log = log_level ? &judge->log : NULL;
	input.explanation = &explanation;
	input.budget.insns = insns;
	strbuf_clear(&judge->log);
	ret = verify_program(&input, out, &err);
	explanation_free(explanation);
	return ret;
}

/* `log`: LOG_SIZE bytes; NULL: none is wanted. */
static int load_into_linux(struct judge *judge, const struct generated *program, u32 log_level,
			   char *log)
{
	struct generated own = *program;
	union bpf_attr attr = {
		.prog_type = own.type,
		.prog_flags = own.is_sleepable ? BPF_F_SLEEPABLE : 0,
		.insns = ptr_to_u64(own.insns),
		.insn_cnt = own.count,
		.license = ptr_to_u64("GPL"),
		.log_level = log_level,
		.log_buf = ptr_to_u64(log),
		.log_size = log ? LOG_SIZE : 0,
	};

	attr.func_info_cnt = world_funcs(&judge->world, program);
	if (attr.func_info_cnt) {
		attr.prog_btf_fd = (u32)judge->world.linux_types;
		attr.func_info = ptr_to_u64(judge->world.funcs);
		attr.func_info_rec_size = sizeof(*judge->world.funcs);
	}
	if (log)
		*log = '\0';
	world_name_linux_maps(&judge->world, &own);
	return world_linux_bpf(BPF_PROG_LOAD, &attr);
}

static void print_program(const struct generated *program)
{
	struct strbuf text;

	for (u32 i = 0; i < program->count; i += insn_slots(&program->insns[i])) {
		strbuf_init(&text);
		insn_print(program->insns, program->count, i, INSN_SYNTAX_KERNEL, NULL, &text);
		printf("# %4u: %s\n", i, strbuf_text(&text));
		strbuf_done(&text);
	}
}

static void print_lines(const char *title, const char *text)
{
	printf("# --- %s\n", title);
	while (*text) {
		size_t length = strcspn(text, "\n");

		printf("# %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void show(struct judge *judge, const struct generated *program)
{
	struct verified *verified;
	int ret = verify(judge, program, 0, 0, VERIFY_LOG_STATES, &verified), fd;

	if (!ret)
		verified_free(verified);
	print_program(program);
	printf("# skep: %s\n", ret ? strerror(-ret) : "accepts");
	print_lines("skep", strbuf_text(&judge->log));
	if (!judge->has_linux)
		return;
	fd = load_into_linux(judge, program, VERIFY_LOG_STATES, judge->linux_log);
	printf("# Linux: %s\n", fd < 0 ? strerror(-fd) : "accepts");
	print_lines("Linux", judge->linux_log);
	if (fd >= 0)
		close(fd);
}

static void print_reason(u64 seed, const char *who, const char *log)
{
	struct verdict_line line = verdict_line(log);

	printf("# seed %llu: only %s: %.*s\n", seed, who, line.length, line.text);
}

/* Facts of every register keep more states apart: pruning has its turn without them. */
static u32 flags_of_seed(u64 seed)
{
	return (seed & 1 ? VERIFY_REG_FACTS : 0) | (seed & 2 ? VERIFY_STATE_FREQ : 0);
}

struct question {
	struct judge *judge;
	const struct generated *program;
};

static const char *ask_linux(void *cookie, u32 at, struct bpf_insn instead)
{
	struct question *question = cookie;
	struct judge *judge = question->judge;
	struct generated changed = *question->program;
	int fd;

	changed.insns[at] = instead;
	fd = load_into_linux(judge, &changed, VERIFY_LOG_PATH, judge->answer);
	if (fd < 0)
		return judge->answer;
	close(fd);
	return NULL;
}

static void log_skep(struct judge *judge, const struct generated *program, u32 flags, u32 level)
{
	struct verified *verified;

	if (!verify(judge, program, flags, 0, level, &verified))
		verified_free(verified);
}

static void log_linux(struct judge *judge, const struct generated *program, u32 level,
		      char *out)
{
	int fd = load_into_linux(judge, program, level, out);

	if (fd >= 0)
		close(fd);
}

/* Why only one of them accepts, as far as docs/differences.md has an answer. */
static enum verdict_class explain(struct judge *judge, const struct generated *program,
				  u32 flags, const struct verified *verified)
{
	struct question question = {judge, program};
	struct verified *detailed = NULL;
	enum verdict_class class;

	log_skep(judge, program, flags, VERIFY_LOG_PATH);
	strbuf_clear(&judge->path);
	strbuf_adds(&judge->path, strbuf_text(&judge->log));
	log_linux(judge, program, VERIFY_LOG_PATH, judge->linux_path);
	log_linux(judge, program, VERIFY_LOG_STATES, judge->linux_log);
	if (verified)
		verify(judge, program, flags | VERIFY_REG_FACTS, 0, 0, &detailed);
	log_skep(judge, program, flags, VERIFY_LOG_STATES);
	class = difference_class(&(struct difference_input){
		.insns = program->insns,
		.count = program->count,
		.verified = verified,
		.regs = detailed ? detailed->regs : NULL,
		.skep_log = strbuf_text(&judge->log),
		.linux_log = judge->linux_log,
		.path = verified ? judge->linux_path : strbuf_text(&judge->path),
		.ask_linux = ask_linux,
		.cookie = &question,
	});
	if (detailed)
		verified_free(detailed);
	return class;
}

/* Facts of every register keep states apart that are alike otherwise, and loops forget less
 * of what differs from round to round. */
static bool accepts_without_facts(struct judge *judge, const struct generated *program,
				  u32 flags)
{
	struct verified *verified;

	if (!(flags & VERIFY_REG_FACTS) ||
	    verify(judge, program, flags & ~(u32)VERIFY_REG_FACTS, 0, 0, &verified))
		return false;
	verified_free(verified);
	return true;
}

/* `verified` NULL: skep rejects. */
static void compare_verdicts(struct judge *judge, const struct generated *program, u64 seed,
			     const struct verified *verified, bool linux_accepts)
{
	bool skep_accepts =
		verified ||
		(linux_accepts && accepts_without_facts(judge, program, flags_of_seed(seed)));
	enum verdict_class class;

	if (skep_accepts == linux_accepts) {
		judge->accepted_by_both += skep_accepts;
		judge->rejected_by_both += !skep_accepts;
		return;
	}
	class = explain(judge, program, flags_of_seed(seed), verified);
	judge->explained[class]++;
	if (class != VERDICT_UNEXPLAINED)
		return;
	judge->only_linux += linux_accepts;
	judge->only_skep += skep_accepts;
	if (linux_accepts)
		print_reason(seed, "Linux accepts", strbuf_text(&judge->path));
	else
		print_reason(seed, "skep accepts", judge->linux_path);
}

/* --- runs --- */

static bool write_map(struct judge *judge, enum generated_map map, bool in_linux)
{
	for (u32 key = 0; key < GENERATED_ENTRIES; key++) {
		u8 value[GENERATED_VALUE];
		union bpf_attr attr = {.map_fd = (u32)judge->world.linux_maps[map],
				       .key = ptr_to_u64(&key),
				       .value = ptr_to_u64(value)};

		inputs_fill(&judge->inputs, value, sizeof(value));
		rcu_read_lock();
		map_update(judge->world.maps[map], &key, value, BPF_ANY, 0);
		rcu_read_unlock();
		if (in_linux && world_linux_bpf(BPF_MAP_UPDATE_ELEM, &attr))
			return false;
	}
	return true;
}

static void set_input(struct judge *judge, enum bpf_prog_type type, u8 *packet,
		      union bpf_attr *attr)
{
	u32 size = inputs_length(&judge->inputs, PACKET_LEAST, PACKET_SIZE);

	memset(attr, 0, sizeof(*attr));
	inputs_fill(&judge->inputs, packet, size);
	if (type == BPF_PROG_TYPE_SYSCALL) {
		attr->test.ctx_in = ptr_to_u64(packet);
		attr->test.ctx_size_in = PACKET_SIZE;
		return;
	}
	attr->test.data_in = ptr_to_u64(packet);
	attr->test.data_size_in = size;
	attr->test.repeat = 1;
}

static bool run_once(struct judge *judge, struct prog *prog, int linux_fd, bool compare)
{
	u8 packet[PACKET_SIZE] = {0};
	union bpf_attr attr, linux_attr;
	bool failed;

	set_input(judge, prog->type, packet, &attr);
	linux_attr = attr;
	linux_attr.test.prog_fd = (u32)linux_fd;
	if (!write_map(judge, GENERATED_ARRAY, compare) ||
	    !write_map(judge, GENERATED_HASH, compare))
		return true;
	failed = prog_test_run(prog, &judge->world.engine->env, &attr, NULL);
	if (world_violated(&judge->world, &judge->violation))
		return false;
	if (failed)
		return true; /* no verdict: a packet that this type does not take */
	judge->runs++;
	if (!compare || world_linux_bpf(BPF_PROG_TEST_RUN, &linux_attr))
		return true;
	return attr.test.retval == linux_attr.test.retval;
}

static void run(struct judge *judge, const struct generated *program, struct verified *verified,
		int linux_fd, u64 seed)
{
	bool compare = linux_fd >= 0 && program->is_deterministic && !program->is_mutated &&
		       seed % LINUX_RUNS_EVERY == 0;
	const struct prog_types types = {judge->world.engine->env.own, judge->world.types,
					 judge->world.types_view};
	struct map *maps[GENERATED_MAPS];
	struct prog *prog;
	bool violated;

	for (u32 i = 0; i < verified->map_cnt; i++)
		maps[i] = map_of_desc(verified->maps[i]);
	if (prog_new(verified, maps, program->func_cnt ? &types : NULL, &prog, NULL))
		return;
	for (u32 i = 0; i < judge->options.runs; i++) {
		strbuf_clear(&judge->violation);
		if (run_once(judge, prog, linux_fd, compare))
			continue;
		violated = judge->violation.length;
		printf("# seed %llu, run %u: %s\n", seed, i,
		       violated ? strbuf_text(&judge->violation) : "another result");
		judge->violations += violated;
		judge->wrong_results += !violated;
		break;
	}
	object_put(&prog->object);
}

/* --- all of it --- */

static bool has_time(u64 seed)
{
	return seed % TEDIOUS_EVERY == 0;
}

/* False: no verdict in a reasonable time. Most such programs are endless loops. */
static bool verify_seed(struct judge *judge, const struct generated *program, u64 seed,
			struct verified **out, int *verdict)
{
	u64 insns = has_time(seed) ? 0 : TEDIOUS_INSNS;

	*verdict = verify(judge, program, flags_of_seed(seed), insns, 0, out);
	return !insns || *verdict != -E2BIG;
}

static void on_alarm(int signal)
{
}

/* A signal ends Linux's verification with EAGAIN. */
static int load_in_time(struct judge *judge, const struct generated *program, u64 seed)
{
	struct itimerval time = {.it_value.tv_usec = has_time(seed) ? 0 : TEDIOUS_US};
	int fd;

	setitimer(ITIMER_REAL, &time, NULL);
	fd = load_into_linux(judge, program, 0, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
	return fd;
}

static void make_program(const struct judge *judge, u64 seed, struct generated *out)
{
	generate_program(seed, out);
	world_name_kfuncs(&judge->world, out);
}

static void judge_seed(struct judge *judge, u64 seed)
{
	struct generated program;
	struct verified *verified;
	int ret, fd = -1;

	make_program(judge, seed, &program);
	if (prog_row(program.type)->rights & ~judge->options.rights) {
		judge->not_looked_at++; /* nothing of this type is verified at all */
		return;
	}
	if (!verify_seed(judge, &program, seed, &verified, &ret)) {
		judge->left_out++;
		return;
	}
	inputs_init(&judge->inputs, &program, seed);
	if (judge->has_linux) {
		fd = load_in_time(judge, &program, seed);
		if (fd == -EAGAIN)
			judge->left_out++;
		else
			compare_verdicts(judge, &program, seed, ret ? NULL : verified, fd >= 0);
	} else {
		judge->accepted_by_both += !ret;
	}
	if (!ret)
		run(judge, &program, verified, fd, seed);
	if (fd >= 0)
		close(fd);
}

static void print_result(const struct judge *judge)
{
	const char *skip = judge->has_linux ? "" : " # SKIP bpf(2) may not be used here";

	printf("# accepted %llu, rejected %llu, only by Linux accepted %llu, only by skep %llu\n",
	       judge->accepted_by_both, judge->rejected_by_both, judge->only_linux,
	       judge->only_skep);
	for (u32 i = VERDICT_UNEXPLAINED + 1; i < VERDICT_CLASSES; i++)
		printf("# %llu differ: %s\n", judge->explained[i], verdict_class_text(i));
	if (judge->left_out)
		printf("# %llu that take long left out\n", judge->left_out);
	if (judge->not_looked_at)
		printf("# %llu of types that take more rights left out\n",
		       judge->not_looked_at);
	printf("# %llu runs, %llu violations, %llu wrong results\n", judge->runs,
	       judge->violations, judge->wrong_results);
	printf("%s 1 - Linux accepts what skep accepts%s\n", judge->only_skep ? "not ok" : "ok",
	       skip);
	printf("%s 2 - accepted programs keep to their facts\n",
	       judge->violations ? "not ok" : "ok");
	printf("%s 3 - results are Linux's%s\n", judge->wrong_results ? "not ok" : "ok", skip);
}

static bool read_rights(char *text, u32 *out)
{
	static const char *const names[] = {"bpf", "perfmon", "net-admin"};

	*out = 0;
	for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		u32 i = 0;

		while (i < ARRAY_SIZE(names) && strcmp(word, names[i]))
			i++;
		if (i == ARRAY_SIZE(names))
			return false;
		*out |= 1u << i;
	}
	return true;
}

static bool read_options(int argc, char **argv, struct options *options)
{
	*options = (struct options){
		.seed = 1, .count = 1000, .runs = 4, .rights = SKEP_RIGHTS_ALL};
	for (int i = 1; i < argc; i++) {
		bool has_number = i + 1 < argc;

		if (!strcmp(argv[i], "--show"))
			options->show = true;
		else if (!strcmp(argv[i], "--alone"))
			options->alone = true;
		else if (!strcmp(argv[i], "--runs") && has_number)
			options->runs = (u32)strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--seed") && has_number)
			options->seed = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--count") && has_number)
			options->count = strtoull(argv[++i], NULL, 0);
		else if (strcmp(argv[i], "--rights") || !has_number ||
			 !read_rights(argv[++i], &options->rights))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct judge judge;
	struct linux_rights before;
	struct generated program;

	if (!read_options(argc, argv, &judge.options)) {
		fprintf(stderr, "usage: judge [--seed N] [--count N] [--runs N] [--alone] "
				"[--rights RIGHTS] [--show]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	judge.linux_log = calloc(1, LOG_SIZE);
	judge.linux_path = calloc(1, LOG_SIZE);
	judge.answer = calloc(1, LOG_SIZE);
	judge.has_linux = !judge.options.alone;
	if (!judge.linux_log || !judge.linux_path || !judge.answer ||
	    !world_open(&judge.world, &judge.has_linux))
		return 2;
	judge.has_linux = judge.has_linux && linux_keep_rights(judge.options.rights, &before);
	if (judge.options.show) {
		make_program(&judge, judge.options.seed, &program);
		show(&judge, &program);
		return 0;
	}
	printf("1..3\n");
	for (u64 i = 0; i < judge.options.count; i++)
		judge_seed(&judge, judge.options.seed + i);
	world_close(&judge.world);
	print_result(&judge);
	free(judge.linux_log);
	free(judge.linux_path);
	free(judge.answer);
	return judge.only_skep || judge.violations || judge.wrong_results;
}
