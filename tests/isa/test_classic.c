/* SPDX-License-Identifier: BSD-2-Clause */
/* Classic BPF: which programs are legal, and what the converted ones return. */
#include "isa/isa.h"
#include "tests/linux.h"
#include "tests/unit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define INSNS_MAX 12
#define AD(name)  (u32)(SKF_AD_OFF + SKF_AD_##name)
#define RET(k)	  BPF_STMT(BPF_RET | BPF_K, k)
#define RET_A	  BPF_STMT(BPF_RET | BPF_A, 0)
#define LD(k)	  BPF_STMT(BPF_LD | BPF_IMM, k)
#define LDX(k)	  BPF_STMT(BPF_LDX | BPF_IMM, k)

/* --- legal or not --- */

static const struct {
	struct sock_filter filter[INSNS_MAX];
	u32 count;
	const char *text; /* NULL: legal */
} checks[] = {
	{{RET(0)}, 1, NULL},
	{{RET(0)}, 0, "expected 1 to 4096 instructions, found 0"},
	{{LD(1)}, 1, "the last instruction is not a return"},
	{{LD(1), RET_A}, 2, NULL},
	{{BPF_STMT(BPF_RET | BPF_X, 0)}, 1, "unknown opcode 0e"},
	{{BPF_STMT(0x100, 0), RET(0)}, 2, "unknown opcode 100"},
	{{BPF_STMT(BPF_LD | BPF_DW | BPF_ABS, 0), RET(0)}, 2, "unknown opcode 38"},
	{{BPF_STMT(BPF_LDX | BPF_W | BPF_MSH, 0), RET(0)}, 2, "unknown opcode a1"},
	{{BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET(0)}, 2, "division by 0"},
	{{BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0), RET(0)}, 2, "division by 0"},
	{{BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET(0)}, 2, NULL},
	{{BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 31), RET(0)}, 2, NULL},
	{{BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET(0)}, 2, "shift by 32 bits"},
	{{BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, -1), RET(0)}, 2, "shift by 4294967295 bits"},
	{{BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 99), RET(0)}, 2, NULL},
	{{BPF_STMT(BPF_ST, 15), RET(0)}, 2, NULL},
	{{BPF_STMT(BPF_ST, 16), RET(0)}, 2, "scratch word 16, there are 16"},
	{{BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), RET_A}, 3, NULL},
	{{BPF_STMT(BPF_STX, 3), BPF_STMT(BPF_LDX | BPF_MEM, 4), RET_A},
	 3,
	 "scratch word 4 is read before it is written"},
	{{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 1),
	  BPF_STMT(BPF_LD | BPF_MEM, 1), RET_A},
	 4,
	 "scratch word 1 is read before it is written"},
	{{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), BPF_STMT(BPF_ST, 1),
	  BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_STX, 1), BPF_STMT(BPF_LD | BPF_MEM, 1),
	  RET_A},
	 6,
	 NULL},
	{{BPF_STMT(BPF_JMP | BPF_JA, 0), RET(0)}, 2, NULL},
	{{BPF_STMT(BPF_JMP | BPF_JA, 1), RET(0)}, 2, "jump over 1 instructions, 1 follow"},
	{{BPF_STMT(BPF_JMP | BPF_JA, -1), RET(0)},
	 2,
	 "jump over 4294967295 instructions, 1 follow"},
	{{BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1), RET(0)},
	 2,
	 "jump over 0 or 1 instructions, 1 follow"},
	{{BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 1, 0), RET(0)},
	 2,
	 "jump over 1 or 0 instructions, 1 follow"},
	{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(VLAN_TPID)), RET_A}, 2, NULL},
	{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AD(RANDOM)), RET_A}, 2, NULL},
	{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(MAX)), RET_A}, 2, "unknown ancillary load 64"},
	{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(PROTOCOL) + 1), RET_A},
	 2,
	 "unknown ancillary load 1"},
	{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, -1), RET_A}, 2, "unknown ancillary load 4095"},
	{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF - 1), RET_A}, 2, NULL},
	{{BPF_STMT(BPF_LD | BPF_W | BPF_IND, AD(MAX)), RET_A}, 2, NULL},
};

static void every_program_has_its_verdict(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(checks); i++) {
		struct skep_error err = {0};
		int got = classic_check(checks[i].filter, checks[i].count, &err);

		if (got != (checks[i].text ? -EINVAL : 0) ||
		    (checks[i].text && strcmp(err.text, checks[i].text)))
			fail_msg("row %u: %d \"%s\"", i, got, err.text);
	}
}

static void length_has_a_limit(void **state)
{
	static struct sock_filter filter[BPF_MAXINSNS + 1];

	for (u32 i = 0; i < ARRAY_SIZE(filter); i++)
		filter[i] = (struct sock_filter)RET(0);
	assert_int_equal(classic_check(filter, BPF_MAXINSNS, NULL), 0);
	assert_int_equal(classic_check(filter, BPF_MAXINSNS + 1, NULL), -EINVAL);
}

/* Whether Linux attaches it; -1 when no filter may be attached here. */
static int linux_attach(int fd, const struct sock_filter *filter, u32 count)
{
	struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)filter};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0)
		return 1;
	return errno == EINVAL ? 0 : -1;
}

static int filter_socket(void)
{
	static const struct sock_filter all[] = {RET(1)};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd >= 0 && linux_attach(fd, all, 1) == 1)
		return fd;
	close(fd);
	return -1;
}

static void compare_verdicts(int fd, const struct sock_filter *filter, u32 count)
{
	struct skep_error err = {0};
	bool skep = classic_check(filter, count, &err) == 0;
	int kernel = linux_attach(fd, filter, count);

	if (kernel == skep)
		return;
	for (u32 i = 0; i < count; i++)
		print_error("%u: %04x %u %u %u\n", i, filter[i].code, filter[i].jt,
			    filter[i].jf, filter[i].k);
	fail_msg("Linux: %d, skep: %s", kernel, skep ? "legal" : err.text);
}

static void linux_gives_the_same_verdicts(void **state)
{
	int fd = filter_socket();

	if (fd < 0)
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(checks); i++)
		compare_verdicts(fd, checks[i].filter, checks[i].count);
	for (u32 code = 0; code < 0x200; code++) {
		struct sock_filter filter[] = {BPF_STMT(code, 0), RET(0)};

		compare_verdicts(fd, filter, 2);
	}
	close(fd);
}

/* Programs whose instructions are likely legal and whose constants are likely small. */
static u32 random_program(struct sock_filter *out)
{
	static const u16 codes[] = {0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15,
				    0x1d, 0x20, 0x28, 0x34, 0x40, 0x45, 0x60, 0x60, 0x61, 0x61,
				    0x64, 0x74, 0x80, 0x87, 0x94, 0xb1, 0x02, 0x03, 0x25, 0x35};
	u32 count = 2 + rand() % (INSNS_MAX - 2);

	for (u32 i = 0; i < count - 1; i++)
		out[i] = (struct sock_filter){
			.code = codes[rand() % ARRAY_SIZE(codes)],
			.jt = rand() % 4,
			.jf = rand() % 4,
			.k = rand() % 16 ? rand() % 6 : AD(PROTOCOL) + rand() % 70,
		};
	out[count - 1] = (struct sock_filter)RET_A;
	return count;
}

static void linux_agrees_on_random_programs(void **state)
{
	struct sock_filter filter[INSNS_MAX];
	int fd = filter_socket();

	if (fd < 0)
		skip();
	srand(1);
	for (u32 i = 0; i < 5000; i++)
		compare_verdicts(fd, filter, random_program(filter));
	close(fd);
}

/* A jump over `count` of `insn` and `filler` loads that Linux turns into 14 instructions. */
static const struct {
	struct sock_filter insn;
	u32 count, filler; /* the longest jump that Linux takes */
} jumps[] = {
	{BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), 1820, 0},
	{BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14), 1724, 0},
	{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), 2730, 0},
	{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 5), 2520, 0},
	{BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 5), 2340, 0},
	{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 40000), 2047, 0},
	{BPF_STMT(BPF_LD | BPF_H | BPF_IND, 5), 3640, 0},
	{BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0), 245, 2200},
	{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_LL_OFF), 245, 2200},
	{BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), 393, 2200},
	{RET(5), 983, 2200},
	{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(CPU)), 491, 2200},
	{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(VLAN_TAG_PRESENT)), 655, 2200},
	{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(VLAN_TPID)), 983, 2200},
	{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, -1, 0, 0), 983, 2200},
	{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 1), 983, 2200},
	{BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1), 983, 2200},
};

/* The jump of a row with `more` instructions than Linux takes. */
static u32 long_jump(u32 row, u32 more, struct sock_filter *out)
{
	u32 count = jumps[row].count + more, at = 0;

	out[at++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, count + jumps[row].filler);
	while (at <= count)
		out[at++] = jumps[row].insn;
	while (at <= count + jumps[row].filler)
		out[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 5);
	out[at++] = (struct sock_filter)RET(0);
	return at;
}

static void jumps_are_as_long_as_in_linux(void **state)
{
	static struct sock_filter filter[BPF_MAXINSNS];

	for (u32 row = 0; row < ARRAY_SIZE(jumps); row++)
		for (u32 more = 0; more < 2; more++) {
			u32 count = long_jump(row, more, filter);

			if (classic_check(filter, count, NULL) != (more ? -EINVAL : 0))
				fail_msg("row %u, %u more", row, more);
		}
}

/* A network namespace of our own, in which filters may take as much memory as they want. */
static bool enter_roomy_namespace(void)
{
	FILE *file;
	bool done;

	if (unshare(CLONE_NEWNET))
		return false;
	file = fopen("/proc/sys/net/core/optmem_max", "w");
	if (!file)
		return false;
	done = fputs("100000000", file) >= 0;
	return !fclose(file) && done;
}

static void linux_takes_jumps_of_the_same_length(void **state)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	int fd;

	if (!linux_has_isa() || !enter_roomy_namespace())
		skip();
	fd = filter_socket();
	assert_true(fd >= 0);
	for (u32 row = 0; row < ARRAY_SIZE(jumps); row++)
		for (u32 more = 0; more < 2; more++)
			compare_verdicts(fd, filter, long_jump(row, more, filter));
	close(fd);
}

/* --- conversion --- */

static void conversion_is_what_it_looks_like(void **state)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x800, 0, 5),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(CPU)),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		RET(5), /* not reached */
		RET_A,
	};
	static const char want[] = "r6 = r1\n"
				   "w0 = 0x0\n"
				   "w7 = 0x0\n"
				   "r0 = *(u16 *)skb[0xc]\n"
				   "if w0 != 0x800 goto +0xf\n"
				   "w8 = w0\n"
				   "r0 = *(u8 *)skb[0xe]\n"
				   "w0 &= 0xf\n"
				   "w0 <<= 0x2\n"
				   "w7 = w0\n"
				   "w0 = w8\n"
				   "if w7 != 0x0 goto +0x2\n"
				   "w0 = 0x0\n"
				   "exit\n"
				   "w0 /= w7\n"
				   "r1 = r6\n"
				   "w2 = w0\n"
				   "w3 = w7\n"
				   "call 0x8\n"
				   "goto +0x0\n"
				   "exit\n";
	struct bpf_insn *insns;
	struct strbuf text;
	u32 count;

	assert_int_equal(classic_check(filter, ARRAY_SIZE(filter), NULL), 0);
	assert_int_equal(classic_convert(filter, ARRAY_SIZE(filter), &insns, &count, NULL), 0);
	strbuf_init(&text);
	for (u32 i = 0; i < count; i++) {
		insn_print(insns, count, i, INSN_SYNTAX_LLVM, NULL, &text);
		strbuf_addc(&text, '\n');
	}
	assert_string_equal(strbuf_text(&text), want);
	strbuf_done(&text);
	free(insns);
}

#define PACKET "\x0a\x14\x1e\x28\x45\x01\x02\x03\xff\xfe\xfd\xfc\x81\x00\x00\x01"

static const struct {
	const char *name;
	struct sock_filter filter[INSNS_MAX];
	u32 want; /* on PACKET */
} runs[] = {
	{"word", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), RET_A}, 0x0a141e28},
	{"half", {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 1), RET_A}, 0x141e},
	{"byte", {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 15), RET_A}, 1},
	{"past the end", {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 15), RET(7)}, 0},
	{"indirect", {LDX(3), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 1), RET_A}, 0x45},
	{"indirect, negative k", {LDX(6), BPF_STMT(BPF_LD | BPF_B | BPF_IND, -1), RET_A}, 1},
	{"indirect past the end", {LDX(16), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0), RET(7)}, 0},
	{"length", {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_A}, 16},
	{"length in X",
	 {BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A},
	 16},
	{"header length",
	 {LD(9), BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 4), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
	  RET_A},
	 29},
	{"header length past the end", {BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 16), RET(7)}, 0},
	{"A and X start as 0", {BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), RET_A}, 0},
	{"scratch",
	 {LD(1), BPF_STMT(BPF_ST, 0), LDX(2), BPF_STMT(BPF_STX, 15), LD(0),
	  BPF_STMT(BPF_LDX | BPF_MEM, 0), BPF_STMT(BPF_LD | BPF_MEM, 15),
	  BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0), RET_A},
	 4},
	{"sum", {LD(-1), BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 2), RET_A}, 1},
	{"difference", {LD(1), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 2), RET_A}, 0xffffffff},
	{"product",
	 {LD(0x10000), LDX(0x10001), BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0), RET_A},
	 0x10000},
	{"quotient", {LD(-1), BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 16), RET_A}, 0xfffffff},
	{"remainder", {LD(-1), LDX(16), BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 0), RET_A}, 15},
	{"division by 0", {LD(9), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET(7)}, 0},
	{"remainder by 0", {LD(9), BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 0), RET(7)}, 0},
	{"and, or, xor",
	 {LD(0xf0), BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 0xff00),
	  BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff0), BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0xff),
	  RET_A},
	 0xf0f},
	{"shift by more than 31",
	 {LD(1), LDX(33), BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0), RET_A},
	 2},
	{"right shift is unsigned",
	 {LD(-1), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 28), RET_A},
	 15},
	{"negation", {LD(1), BPF_STMT(BPF_ALU | BPF_NEG, 0), RET_A}, 0xffffffff},
	{"both ways",
	 {LD(5), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 1, 2), RET(1), RET(2), RET(3)},
	 2},
	{"not taken",
	 {LD(3), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 1, 2), RET(1), RET(2), RET(3)},
	 3},
	{"unsigned >",
	 {LD(-1), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 5, 0, 1), RET(1), RET(2)},
	 1},
	{"negative constant",
	 {LD(-1), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, -1, 0, 1), RET(1), RET(2)},
	 1},
	{"equal is no >",
	 {LD(5), LDX(5), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1), RET(1), RET(2)},
	 2},
	{"equal is >=",
	 {LD(5), LDX(5), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 1), RET(1), RET(2)},
	 1},
	{"same target", {BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 1, 1), RET(1), RET(2)}, 2},
	{"goto", {BPF_STMT(BPF_JMP | BPF_JA, 1), RET(1), RET(2)}, 2},
	{"xor load",
	 {LD(6), LDX(3), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(ALU_XOR_X)), RET_A},
	 5},
	{"mark", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(MARK)), RET_A}, 0},
	{"no VLAN", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(VLAN_TAG_PRESENT)), RET_A}, 0},
	{"queue", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(QUEUE)), RET_A}, 0},
	{"cpu",
	 {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(CPU)),
	  BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 4096, 1, 0), RET(1), RET(2)},
	 1},
	{"network header", {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF), RET(1)}, 1},
};

static u32 filter_length(const struct sock_filter *filter)
{
	u32 count = INSNS_MAX;

	while (BPF_CLASS(filter[count - 1].code) != BPF_RET)
		count--;
	return count;
}

/* PROG_TEST_RUN of a socket filter takes the Ethernet header away first. */
static int linux_test_run(const struct bpf_insn *insns, u32 count, u32 *out)
{
	static const char frame[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5" PACKET;
	union bpf_attr attr = {0};
	int fd = linux_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, count, 0, NULL, 0);
	int error;

	if (fd < 0)
		return fd;
	attr.test.prog_fd = fd;
	attr.test.data_in = ptr_to_u64(frame);
	attr.test.data_size_in = sizeof(frame) - 1;
	error = syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) ? -errno : 0;
	*out = attr.test.retval;
	close(fd);
	return error;
}

static void converted_programs_return_what_they_should(void **state)
{
	if (!linux_has_bpf())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(runs); i++) {
		u32 length = filter_length(runs[i].filter), count, got = 0;
		struct bpf_insn *insns;
		int error;

		assert_int_equal(classic_check(runs[i].filter, length, NULL), 0);
		assert_int_equal(classic_convert(runs[i].filter, length, &insns, &count, NULL),
				 0);
		error = linux_test_run(insns, count, &got);
		if (error || got != runs[i].want)
			fail_msg("%s: want %u, got %u, error %d", runs[i].name, runs[i].want,
				 got, error);
		free(insns);
	}
}

/* The length that the filter leaves of a datagram, the filter's result cut to the datagram. */
static ssize_t filtered_length(const struct sock_filter *filter, u32 count)
{
	char buffer[64];
	ssize_t got;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(linux_attach(fd[1], filter, count), 1);
	if (send(fd[0], PACKET, sizeof(PACKET) - 1, 0) < 0)
		got = 0; /* AF_UNIX tells the sender that the datagram was dropped */
	else
		got = recv(fd[1], buffer, sizeof(buffer), 0);
	close(fd[0]);
	close(fd[1]);
	return max(got, (ssize_t)0);
}

static void linux_returns_the_same_for_the_classic_programs(void **state)
{
	int fd = filter_socket();

	if (fd < 0)
		skip();
	close(fd);
	for (u32 i = 0; i < ARRAY_SIZE(runs); i++) {
		ssize_t want = min(runs[i].want, (u32)sizeof(PACKET) - 1);
		ssize_t got = filtered_length(runs[i].filter, filter_length(runs[i].filter));

		if (got != want)
			fail_msg("%s: want %zd, got %zd", runs[i].name, want, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_has_its_verdict),
		cmocka_unit_test(length_has_a_limit),
		cmocka_unit_test(jumps_are_as_long_as_in_linux),
		cmocka_unit_test(linux_gives_the_same_verdicts),
		cmocka_unit_test(linux_agrees_on_random_programs),
		cmocka_unit_test(conversion_is_what_it_looks_like),
		cmocka_unit_test(converted_programs_return_what_they_should),
		cmocka_unit_test(linux_returns_the_same_for_the_classic_programs),
		cmocka_unit_test(
			linux_takes_jumps_of_the_same_length), /* leaves the namespace */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
