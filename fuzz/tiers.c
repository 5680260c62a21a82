/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs (generate.h) that the verifier accepts, interpreted and as the machine code
 *of both tiers: the same result, packet and map values on the same random inputs. Every fourth
 * program has little fuel, every third one a loader without CAP_PERFMON, which means masks and
 * barriers against speculation; every fifth one's constants are blinded.
 *
 *	tiers [--seed N] [--count N] [--runs N]
 *
 * --runs: of each program.
 */
#include "fuzz/inputs.h"
#include "fuzz/world.h"
#include "jit/jit.h"
#include "map/map.h"
#include "run/native.h"
#include "sys/engine.h"
#include "verify/verify.h"
#include <skep/skep.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_SIZE  128
#define PACKET_LEAST 14
#define OUT_SIZE     1024
#define WALKED_MAX   20000 /* instructions that the verifier may walk */

/* The maps whose values are all bytes of the program's; their keys are 0 to 3. */
#define VALUE_MAPS (GENERATED_HASH + 1)

enum tier { TIER_NONE, TIER_BASE, TIER_FULL, TIERS };

static const char *const tier_names[TIERS] = {"interpreted", "one pass", "optimised"};

/* All that a run leaves behind. */
struct outcome {
	int err;
	u32 retval, size;
	u8 packet[OUT_SIZE];
	u8 values[VALUE_MAPS][GENERATED_ENTRIES][GENERATED_VALUE];
};

struct tiers {
	struct world world;
	struct prog *prog;
	struct native *code[TIERS];
	u64 programs, runs, stopped, differences, without_code;
};

#define STACK_WORDS 64
#define STACK_SHIFT 4096

/* Programs with full rights may read what they did not write, which is something else in every tier:
 * here all of the stack is written first. False: there is no room. */
static bool write_stack_first(struct generated *program)
{
	if (program->count + STACK_WORDS > GENERATED_INSNS_MAX)
		return false;
	memmove(program->insns + STACK_WORDS, program->insns,
		program->count * sizeof(program->insns[0]));
	for (u32 i = 0; i < STACK_WORDS; i++)
		program->insns[i] = (struct bpf_insn){.code = BPF_ST | BPF_MEM | BPF_DW,
						      .dst_reg = BPF_REG_10,
						      .off = (s16)(-8 * (s32)(i + 1)),
						      .imm = (s32)(i * 0x01010101)};
	program->count += STACK_WORDS;
	return true;
}

static bool verify(struct tiers *tiers, const struct generated *program, u32 rights,
		   struct verified **out)
{
	struct verify_input input = world_input(&tiers->world, program);
	struct skep_error err;

	input.flags |= tiers->world.engine->env.fuel ? VERIFY_FUEL : 0;
	input.rights = rights;
	input.budget.insns = WALKED_MAX;
	return !verify_program(&input, out, &err);
}

/* Subprograms have stacks of their own: those without full rights may not read what they did not
 * write. */
static bool reads_what_it_wrote(struct tiers *tiers, struct generated *program)
{
	struct verified *verified;

	if (!program->func_cnt)
		return write_stack_first(program);
	if (!verify(tiers, program, SKEP_RIGHT_BPF | SKEP_RIGHT_NET_ADMIN, &verified))
		return false;
	verified_free(verified);
	return true;
}

/* --- one run --- */

static void write_maps(struct tiers *tiers, struct inputs *inputs)
{
	u8 value[GENERATED_VALUE];

	rcu_read_lock();
	for (u32 map = 0; map < VALUE_MAPS; map++)
		for (u32 key = 0; key < GENERATED_ENTRIES; key++) {
			inputs_fill(inputs, value, sizeof(value));
			map_update(tiers->world.maps[map], &key, value, BPF_ANY, 0);
		}
	rcu_read_unlock();
}

static void read_maps(struct tiers *tiers, struct outcome *out)
{
	for (u32 map = 0; map < VALUE_MAPS; map++)
		for (u32 key = 0; key < GENERATED_ENTRIES; key++)
			map_user_lookup(tiers->world.maps[map], &key, out->values[map][key], 0);
}

static void run(struct tiers *tiers, struct inputs inputs, struct outcome *out)
{
	u8 packet[PACKET_SIZE];
	union bpf_attr attr;

	memset(out, 0, sizeof(*out));
	memset(&attr, 0, sizeof(attr));
	write_maps(tiers, &inputs);
	attr.test.data_size_in = inputs_length(&inputs, PACKET_LEAST, PACKET_SIZE);
	inputs_fill(&inputs, packet, attr.test.data_size_in);
	attr.test.data_in = ptr_to_u64(packet);
	attr.test.data_out = ptr_to_u64(out->packet);
	attr.test.data_size_out = sizeof(out->packet);
	attr.test.repeat = 1;
	out->err = prog_test_run(tiers->prog, &tiers->world.engine->env, &attr, NULL);
	out->retval = attr.test.retval;
	out->size = attr.test.data_size_out;
	read_maps(tiers, out);
}

/* The same, with the program's stack elsewhere. */
static __attribute__((noinline)) void run_deeper(struct tiers *tiers, struct inputs inputs,
						 struct outcome *out)
{
	volatile u8 room[STACK_SHIFT];

	room[0] = room[STACK_SHIFT - 1] = 0;
	run(tiers, inputs, out);
	room[0] = room[STACK_SHIFT - 1];
}

/* False: a tier differs from the interpreter. */
static bool compare_once(struct tiers *tiers, const struct inputs *inputs, u64 seed, u32 number)
{
	static struct outcome outcomes[TIERS], again;

	tiers->prog->native = NULL;
	run_deeper(tiers, *inputs, &again);
	for (u32 tier = 0; tier < TIERS; tier++) {
		if (tier && !tiers->code[tier])
			continue;
		tiers->prog->native = tiers->code[tier];
		tiers->stopped += tier == TIER_FULL && outcomes[0].retval == (u32)-EINTR;
		run(tiers, *inputs, &outcomes[tier]);
		/* One that depends on addresses differs from itself. */
		if (!tier && memcmp(&outcomes[0], &again, sizeof(again)))
			return true;
		if (!tier || !memcmp(&outcomes[0], &outcomes[tier], sizeof(outcomes[0])))
			continue;
		printf("# seed %llu, run %u: %s %d %#x, %u bytes; %s %d %#x, %u bytes; packets "
		       "%s, maps %s\n",
		       seed, number, tier_names[0], outcomes[0].err, outcomes[0].retval,
		       outcomes[0].size, tier_names[tier], outcomes[tier].err,
		       outcomes[tier].retval, outcomes[tier].size,
		       memcmp(outcomes[0].packet, outcomes[tier].packet, OUT_SIZE) ? "differ"
										   : "equal",
		       memcmp(outcomes[0].values, outcomes[tier].values,
			      sizeof(outcomes[0].values))
			       ? "differ"
			       : "equal");
		return false;
	}
	return true;
}

static void compile(struct tiers *tiers)
{
	static const enum jit_tier wanted[TIERS] = {JIT_OFF, JIT_BASE, JIT_FULL};

	for (u32 tier = 1; tier < TIERS; tier++) {
		tiers->code[tier] = NULL;
		/* No other tier takes the place of one that failed. */
		if (jit_make(tiers->prog, wanted[tier], &tiers->code[tier]))
			tiers->without_code++;
	}
}

static void close_program(struct tiers *tiers)
{
	for (u32 tier = 1; tier < TIERS; tier++)
		if (tiers->code[tier])
			tiers->code[tier]->free(tiers->code[tier]);
	tiers->prog->native = NULL;
	object_put(&tiers->prog->object);
}

#define FUEL_MAX 64

static u64 fuel_of(u64 seed)
{
	return seed % 4 ? 0 : 1 + seed / 4 % FUEL_MAX;
}

static u32 rights_of(u64 seed)
{
	return seed % 3 ? SKEP_RIGHTS_ALL : SKEP_RIGHT_BPF | SKEP_RIGHT_NET_ADMIN;
}

static void compare(struct tiers *tiers, u64 seed, u32 runs)
{
	const struct prog_types types = {tiers->world.engine->env.own, tiers->world.types,
					 tiers->world.types_view};
	struct map *maps[GENERATED_MAPS];
	struct generated program;
	struct verified *verified;
	struct inputs inputs;

	tiers->world.engine->env.fuel = fuel_of(seed);
	generate_program(seed, &program);
	world_name_kfuncs(&tiers->world, &program);
	if (!program.is_deterministic || program.type == BPF_PROG_TYPE_SYSCALL ||
	    !reads_what_it_wrote(tiers, &program) ||
	    !verify(tiers, &program, rights_of(seed), &verified))
		return;
	for (u32 i = 0; i < verified->map_cnt; i++)
		maps[i] = map_of_desc(verified->maps[i]);
	if (prog_new(verified, maps, program.func_cnt ? &types : NULL, &tiers->prog, NULL))
		return;
	tiers->prog->is_blinded = seed % 5 == 0;
	compile(tiers);
	inputs_init(&inputs, &program, seed);
	tiers->programs++;
	for (u32 i = 0; i < runs; i++, inputs.random += 0x9e3779b97f4a7c15ULL) {
		tiers->runs++;
		if (!compare_once(tiers, &inputs, seed, i)) {
			tiers->differences++;
			break;
		}
	}
	close_program(tiers);
}

int main(int argc, char **argv)
{
	u64 seed = 1, count = 1000, runs = 4;
	bool with_linux = false;
	static struct tiers tiers;

	for (int i = 1; i < argc; i += 2) {
		u64 *option = !strcmp(argv[i], "--seed")    ? &seed
			      : !strcmp(argv[i], "--count") ? &count
			      : !strcmp(argv[i], "--runs")  ? &runs
							    : NULL;

		if (!option || i + 1 == argc) {
			fprintf(stderr, "usage: tiers [--seed N] [--count N] [--runs N]\n");
			return 2;
		}
		*option = strtoull(argv[i + 1], NULL, 0);
	}
	if (!world_open(&tiers.world, &with_linux))
		return 2;
	tiers.world.engine->env.checked = false;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..2\n");
	for (u64 i = 0; i < count; i++)
		compare(&tiers, seed + i, (u32)runs);
	printf("# %llu programs, %llu runs (%llu ran out of fuel), %llu differences, %llu without "
	       "machine code\n",
	       tiers.programs, tiers.runs, tiers.stopped, tiers.differences,
	       tiers.without_code);
	printf("%s 1 - all tiers give the interpreter's results\n",
	       tiers.differences ? "not ok" : "ok");
	printf("%s 2 - programs have machine code\n",
	       tiers.without_code > tiers.programs / 4 ? "not ok" : "ok");
	world_close(&tiers.world);
	return tiers.differences || tiers.without_code > tiers.programs / 4;
}
