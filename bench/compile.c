/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast programs are compiled, and how large their machine code is: of programs made here, in
 * three sizes each, so that what grows faster than the program shows, and of object files.
 *
 *	bench-compile [--rounds N] [--only TEXT] [OBJECT...]
 *
 * Of each tier the best round counts. Sizes are bytes of machine code for each instruction.
 */
#include "base/os.h"
#include "jit/jit.h"
#include "run/native.h"
#include "shim/wrap.h"
#include "sys/engine.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INSNS_MAX 120000

static struct skep_engine *engine;
static u32 rounds = 5;
static const char *only = "";

/* --- programs --- */

static struct bpf_insn insns[INSNS_MAX];
static u32 count, random_state;

static void emit(u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	if (count < INSNS_MAX)
		insns[count++] = (struct bpf_insn){code, dst, src, off, imm};
}

static u32 random_below(u32 limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % limit;
}

/* r0 to r5 and r7 to r9 are numbers out of the context. */
static u8 any_number(void)
{
	static const u8 numbers[] = {0, 2, 3, 4, 5, 7, 8, 9};

	return numbers[random_below(ARRAY_SIZE(numbers))];
}

static void begin(void)
{
	count = 0;
	random_state = 1;
	for (u8 reg = 0; reg < 10; reg++)
		if (reg != 1 && reg != 6)
			emit(BPF_LDX | BPF_MEM | BPF_W, reg, 1, 12, 0);
	for (s16 slot = 1; slot <= 8; slot++)
		emit(BPF_STX | BPF_MEM | BPF_DW, 10, 2, (s16)(-8 * slot), 0);
}

static void end(void)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 0, any_number(), 0, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void calculate(void)
{
	static const u8 ops[] = {BPF_ADD, BPF_SUB, BPF_XOR, BPF_OR, BPF_AND, BPF_MUL};
	const u8 op = ops[random_below(ARRAY_SIZE(ops))];

	switch (random_below(4)) {
	case 0: emit(BPF_ALU64 | op | BPF_X, any_number(), any_number(), 0, 0); return;
	case 1: emit(BPF_ALU | op | BPF_X, any_number(), any_number(), 0, 0); return;
	case 2:
		emit(BPF_ALU64 | op | BPF_K, any_number(), 0, 0, (s32)random_below(1 << 15));
		return;
	default: emit(BPF_ALU64 | BPF_MOV | BPF_X, any_number(), any_number(), 0, 0); return;
	}
}

static void touch_stack(void)
{
	const s16 slot = (s16)(-8 * (s32)(1 + random_below(8)));

	if (random_below(2))
		emit(BPF_STX | BPF_MEM | BPF_DW, 10, any_number(), slot, 0);
	else
		emit(BPF_LDX | BPF_MEM | BPF_DW, any_number(), 10, slot, 0);
}

static void make_straight(u32 size)
{
	while (count < size)
		if (random_below(5))
			calculate();
		else
			touch_stack();
}

static void load_number(u8 reg)
{
	emit(BPF_LDX | BPF_MEM | BPF_W, reg, 1, random_below(2) ? 12 : 16, 0);
}

/* Either way comes to the same place. What is loaded is any number to the verifier, which goes
 * on one of the ways only. */
static void make_branches(u32 size)
{
	while (count < size) {
		load_number(6);
		emit(BPF_JMP | BPF_JGT | BPF_K, 6, 0, 3, (s32)random_below(1000));
		load_number(any_number());
		load_number(any_number());
		emit(BPF_JMP | BPF_JA, 0, 0, 2, 0);
		load_number(any_number());
		load_number(any_number());
	}
}

static void make_loops(u32 size)
{
	while (count < size) {
		emit(BPF_ALU64 | BPF_MOV | BPF_K, 6, 0, 0, 2);
		for (u32 i = 0; i < 6; i++)
			calculate();
		emit(BPF_ALU64 | BPF_ADD | BPF_K, 6, 0, 0, -1);
		emit(BPF_JMP | BPF_JNE | BPF_K, 6, 0, -8, 0);
	}
}

static void make_memory(u32 size)
{
	while (count < size) {
		emit(BPF_LDX | BPF_MEM | BPF_W, 6, 1, random_below(2) ? 12 : 16, 0);
		emit(BPF_ALU64 | BPF_ADD | BPF_X, any_number(), 6, 0, 0);
		touch_stack();
	}
}

static const struct {
	const char *name;
	void (*make)(u32 size);
} generators[] = {
	{"straight", make_straight},
	{"branches", make_branches},
	{"loops", make_loops},
	{"memory", make_memory},
};

/* --- measuring --- */

static double best_seconds(const struct prog *prog, enum jit_tier tier, u32 *bytes)
{
	double best = 0;

	for (u32 i = 0; i < rounds; i++) {
		const u64 start = os_time_ns(CLOCK_THREAD_CPUTIME_ID);
		struct native *native;
		double seconds;

		if (jit_make(prog, tier, &native))
			return 0;
		seconds = (double)(os_time_ns(CLOCK_THREAD_CPUTIME_ID) - start) / 1e9;
		*bytes = native_bytes(native);
		native->free(native);
		if (!i || seconds < best)
			best = seconds;
	}
	return best;
}

static struct {
	u64 insns, bytes[JIT_FULL + 1];
} sum;

static void measure(const char *name, const struct prog *prog)
{
	const u32 size = prog->verified->insn_cnt;

	printf("%-36s %8u", name, size);
	for (enum jit_tier tier = JIT_BASE; tier <= JIT_FULL; tier++) {
		u32 bytes = 0;
		const double seconds = best_seconds(prog, tier, &bytes);

		if (seconds > 0)
			printf("  %9.3f %8.2f %6.2f", seconds * 1e3, size / seconds / 1e6,
			       (double)bytes / size);
		else
			printf("  %9s %8s %6s", "-", "-", "-");
		sum.bytes[tier] += bytes;
	}
	sum.insns += size;
	printf("\n");
}

static void measure_all(const char *prefix)
{
	u32 id = 0;

	while ((id = object_next_id(engine, OBJECT_PROG, id))) {
		struct object *object = object_by_id(engine, OBJECT_PROG, id);
		struct prog *prog = object ? container_of(object, struct prog, object) : NULL;
		char name[96];

		if (!prog)
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, prog->name);
		measure(name, prog);
		object_put(object);
	}
}

static void measure_generated(u32 index, u32 size)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .insns = ptr_to_u64(insns),
			       .license = ptr_to_u64("none")};
	int fd;

	begin();
	generators[index].make(size);
	end();
	attr.insn_cnt = count;
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", generators[index].name);
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0) {
		printf("%-36s %s\n", generators[index].name, skep_engine_error(engine)->text);
		return;
	}
	measure_all("");
	close(fd);
	engine_settle(engine);
}

static void measure_object(const char *path)
{
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "%.40s ", file);
	if (object && !bpf_object__load(object))
		measure_all(prefix);
	else
		printf("%-36s cannot be loaded\n", file);
	bpf_object__close(object);
	engine_settle(engine);
}

static int no_print(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	static const u32 sizes[] = {1000, 10000, 100000};
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .jit = SKEP_JIT_OFF};
	int at = 1;

	for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
		if (!strcmp(argv[at], "--rounds"))
			rounds = (u32)strtoul(argv[at + 1], NULL, 10);
		else if (!strcmp(argv[at], "--only"))
			only = argv[at + 1];
	}
	engine = skep_engine_new(&opts, NULL);
	if (!engine || !rounds)
		return 2;
	wrap_use_engine(engine);
	libbpf_set_print(no_print);
	printf("%-36s %8s  %9s %8s %6s  %9s %8s %6s\n", "program", "insns", "base ms", "M/s",
	       "bytes", "full ms", "M/s", "bytes");
	for (u32 i = 0; at == argc && i < ARRAY_SIZE(generators); i++)
		for (u32 k = 0; k < ARRAY_SIZE(sizes); k++)
			if (strstr(generators[i].name, only))
				measure_generated(i, sizes[k]);
	for (; at < argc; at++)
		measure_object(argv[at]);
	printf("%-36s %8llu  %9s %8s %6.2f  %9s %8s %6.2f\n", "all", sum.insns, "", "",
	       (double)sum.bytes[JIT_BASE] / (double)sum.insns, "", "",
	       (double)sum.bytes[JIT_FULL] / (double)sum.insns);
	wrap_use_linux();
	skep_engine_free(engine);
	return 0;
}
