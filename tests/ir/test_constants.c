/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read of maps that never change again is known to the optimiser; what may change is not.
 * Programs run interpreted and by both tiers.
 */
#include "base/os.h"
#include "isa/isa.h"
#include "tests/unit.h"

#include <linux/bpf.h>
#include <skep/inspect.h>
#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_SIZE 128
#define PACKETS	   130
/* Stands for the address of the map's value. */
#define ADDRESS	   0x76616c75

#define PACKET                              \
	"r6 = *(u32 *)(r1 + 0)\n"           \
	"r2 = *(u32 *)(r1 + 4)\n"           \
	"r3 = r6\n"                         \
	"r3 += 64\n"                        \
	"if r3 > r2 goto out\n"             \
	"r5 = 0x76616c75 ll\n"
#define OUT "out:\nr0 = 0\nexit\n"
#define FACTOR 0x0218a392cd3d5dbfull
#define NUMBER "r1 = *(u64 *)(r6 + 8)\n"
#define COUNT				    \
	"r2 = r1\n"			    \
	"r2 = -r2\n"			    \
	"r1 &= r2\n"			    \
	"r3 = 0x218a392cd3d5dbf ll\n"	    \
	"r1 *= r3\n"			    \
	"r1 >>= 58\n"			    \
	"r5 += r1\n"			    \
	"r0 = *(u8 *)(r5 + 0)\n"

static const struct row {
	const char *title, *program;
	u32 flags; /* of the map */
	bool is_frozen, is_wrong;
	const char *has, *lacks; /* of the optimised program */
} rows[] = {
	{"a number of a frozen map", PACKET "r0 = *(u32 *)(r5 + 4)\nexit\n" OUT, BPF_F_RDONLY_PROG,
	 true, false, "const +", "load.u32 v"},
	{"a signed one", PACKET "r0 = *(s8 *)(r5 + 127)\nexit\n" OUT, BPF_F_RDONLY_PROG, true, false,
	 "const -1\n", ".s8"},
	{"user space may still write it", PACKET "r0 = *(u16 *)(r5 + 4)\nexit\n" OUT,
	 BPF_F_RDONLY_PROG, false, false, "load.u16", NULL},
	{"the program may write it", PACKET "r0 = *(u16 *)(r5 + 4)\nexit\n" OUT, 0, true, false,
	 "load.u16", NULL},
	{"zeros are counted by a table", PACKET NUMBER COUNT "exit\n" OUT, BPF_F_RDONLY_PROG, true, false,
	 "ctz v", "load.u8"},
	{"what the table has for 0 is never asked for",
	 PACKET NUMBER "r0 = 64\nif r1 == 0 goto done\n" COUNT "done:\nexit\n" OUT,
	 BPF_F_RDONLY_PROG, true, false, "ctz v", "select"},
	{"the table may change", PACKET NUMBER COUNT "exit\n" OUT, 0, true, false, "load.u8", "ctz"},
	{"the table has another number", PACKET NUMBER COUNT "exit\n" OUT, BPF_F_RDONLY_PROG, true, true,
	 "load.u8", "ctz"},
};

static const enum skep_jit tiers[] = {SKEP_JIT_OFF, SKEP_JIT_BASE, SKEP_JIT_FULL};

static void fill_value(u8 *value, bool is_wrong)
{
	memset(value, 0xff, VALUE_SIZE);
	for (u32 bit = 0; bit < 64; bit++)
		value[(FACTOR << bit) >> 58] = (u8)bit;
	if (is_wrong)
		value[FACTOR << 40 >> 58] = 41;
}

static int make_map(struct skep_engine *engine, const struct row *row)
{
	u8 value[VALUE_SIZE];
	const u32 key = 0;
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = sizeof(key),
			       .value_size = VALUE_SIZE,
			       .max_entries = 1,
			       .map_flags = row->flags};
	const int map = skep_bpf(engine, BPF_MAP_CREATE, &attr, sizeof(attr));

	assert_true(map >= 0);
	fill_value(value, row->is_wrong);
	attr = (union bpf_attr){
		.map_fd = (u32)map, .key = ptr_to_u64(&key), .value = ptr_to_u64(value)};
	assert_int_equal(skep_bpf(engine, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
	attr = (union bpf_attr){.map_fd = (u32)map};
	if (row->is_frozen)
		assert_int_equal(skep_bpf(engine, BPF_MAP_FREEZE, &attr, sizeof(attr)), 0);
	return map;
}

static int load(struct skep_engine *engine, const char *text, int map)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP, .license = ptr_to_u64("none")};
	struct bpf_insn *insns;
	struct skep_error err;
	int fd;

	if (insns_assemble(text, &insns, &attr.insn_cnt, &err))
		fail_msg("%s", err.text);
	for (u32 i = 0; i < attr.insn_cnt; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insns[i].imm == ADDRESS) {
			insns[i].src_reg = BPF_PSEUDO_MAP_VALUE;
			insns[i].imm = map;
		}
	attr.insns = ptr_to_u64(insns);
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fail_msg("%s", skep_engine_error(engine)->text);
	free(insns);
	return fd;
}

/* Of the number that packets have, one bit is set, or all from one bit on, or none. */
static u32 run(struct skep_engine *engine, int prog, u32 number)
{
	u8 packet[64] = {0};
	union bpf_attr attr = {.test = {.prog_fd = (u32)prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet)}};
	const u64 value = number >= 128 ? 0 : (number & 1 ? ~0ull : 1ull) << number / 2;

	memcpy(packet + 8, &value, sizeof(value));
	assert_int_equal(skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	return attr.test.retval;
}

static void check_text(struct skep_engine *engine, int prog, const struct row *row)
{
	char *text;

	if (!os_counts_bits())
		return;
	assert_int_equal(skep_prog_print(engine, prog, "ir", &text), 0);
	if (!strstr(text, row->has) || (row->lacks && strstr(text, row->lacks)))
		fail_msg("%s: '%s' is missing, or '%s' is left:\n%s", row->title, row->has,
			 row->lacks ?: "", text);
	free(text);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	u32 wanted[PACKETS];

	for (u32 tier = 0; tier < ARRAY_SIZE(tiers); tier++) {
		const struct skep_engine_opts opts = {.sz = sizeof(opts), .jit = tiers[tier]};
		struct skep_engine *engine = skep_engine_new(&opts, NULL);
		int map, prog;

		assert_non_null(engine);
		map = make_map(engine, row);
		prog = load(engine, row->program, map);
		check_text(engine, prog, row);
		for (u32 number = 0; number < PACKETS; number++) {
			const u32 value = run(engine, prog, number);

			if (!tier)
				wanted[number] = value;
			else if (value != wanted[number])
				fail_msg("%s, tier %u, packet %u: %#x, not %#x", row->title, tier,
					 number, value, wanted[number]);
		}
		close(prog);
		close(map);
		skep_engine_free(engine);
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){.name = rows[i].title,
					       .test_func = test_row,
					       .initial_state = (void *)&rows[i]};
	return cmocka_run_group_tests_name("constants", tests, NULL, NULL);
}
