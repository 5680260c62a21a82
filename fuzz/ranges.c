/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether skep knows as much of numbers as Linux. Small programs take two numbers from memory,
 * narrow them by masks, shifts and branches, and combine them by one operation or comparison.
 * The ranges that Linux's log tells behind it must contain skep's fact: where skep knows less,
 *it may reject what Linux accepts.
 *
 *	ranges [--seed N] [--count N]
 */
#include "base/error.h"
#include "fuzz/generate.h"
#include "isa/isa.h"
#include "verify/verify.h"
#include "verify/view.h"
#include <skep/skep.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_SIZE   (1u << 20)
#define VALUE_SIZE 16
#define SHOWN_MAX  20
#define INSNS_MAX  64
#define FIRST	   BPF_REG_6
#define SECOND	   BPF_REG_7

struct trial {
	u64 random;
	struct bpf_insn insns[INSNS_MAX];
	u32 count;
	u32 exits[INSNS_MAX], exit_cnt; /* jumps to the exit */
	u32 end;			/* what is compared is known before this instruction */
};

struct contest {
	int linux_map;
	struct map_desc map;
	u8 values[VALUE_SIZE];
	char *log;
	u64 compared, refused, wider, narrower;
};

/* --- programs --- */

static u32 below(struct trial *trial, u32 limit)
{
	return (u32)(random_next(&trial->random) >> 11) % limit;
}

static void emit(struct trial *trial, u8 code, u8 dst, u8 src, s32 off, s32 imm)
{
	trial->insns[trial->count++] =
		(struct bpf_insn){code, dst & 0xf, src & 0xf, (s16)off, imm};
}

/* Near a power of two, or small, or anything. */
static s32 pick_imm(struct trial *trial)
{
	u32 power = 1u << below(trial, 32);

	switch (below(trial, 4)) {
	case 0: return (s32)below(trial, 70);
	case 1: return -(s32)below(trial, 70);
	case 2: return (s32)(power + below(trial, 3) - 1);
	default: return (s32)(random_next(&trial->random) >> below(trial, 32));
	}
}

static u8 pick_jump(struct trial *trial)
{
	static const u8 ops[] = {BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	BPF_JGE, BPF_JLT,
				 BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE};

	return ops[below(trial, ARRAY_SIZE(ops))] | (below(trial, 2) ? BPF_JMP : BPF_JMP32);
}

/* Goes on where the comparison holds, or where it does not. */
static void emit_exit_if(struct trial *trial, u8 code, u8 dst, u8 src, s32 imm)
{
	bool goes_on = below(trial, 2);

	if (goes_on) {
		emit(trial, code, dst, src, 1, imm);
		code = BPF_JMP | BPF_JA;
		dst = src = 0;
		imm = 0;
	}
	trial->exits[trial->exit_cnt++] = trial->count;
	emit(trial, code, dst, src, 0, imm);
}

static void emit_narrowing(struct trial *trial, u8 reg)
{
	u8 class = below(trial, 3) ? BPF_ALU64 : BPF_ALU;

	switch (below(trial, 8)) {
	case 0:
	case 1:
	case 2:
	case 3: emit_exit_if(trial, pick_jump(trial) | BPF_K, reg, 0, pick_imm(trial)); break;
	case 4: emit(trial, class | BPF_AND | BPF_K, reg, 0, 0, pick_imm(trial)); break;
	case 5: emit(trial, class | BPF_OR | BPF_K, reg, 0, 0, pick_imm(trial)); break;
	case 6:
		emit(trial, class | (below(trial, 2) ? BPF_RSH : BPF_ARSH) | BPF_K, reg, 0, 0,
		     (s32)below(trial, class == BPF_ALU ? 32 : 64));
		break;
	default: emit(trial, class | BPF_ADD | BPF_K, reg, 0, 0, pick_imm(trial)); break;
	}
}

static void emit_load(struct trial *trial, u8 reg, s32 off)
{
	static const u8 codes[] = {
		BPF_MEM | BPF_DW, BPF_MEM | BPF_DW,  BPF_MEM | BPF_W,	BPF_MEM | BPF_H,
		BPF_MEM | BPF_B,  BPF_MEMSX | BPF_W, BPF_MEMSX | BPF_H, BPF_MEMSX | BPF_B,
	};

	if (below(trial, 8))
		emit(trial, BPF_LDX | codes[below(trial, ARRAY_SIZE(codes))], reg, BPF_REG_8,
		     off, 0);
	else
		emit(trial, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, pick_imm(trial));
}

static void emit_operation(struct trial *trial)
{
	static const u8 ops[] = {BPF_ADD,  BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,
				 BPF_AND,  BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR,
				 BPF_ARSH, BPF_NEG, BPF_MOV, BPF_END};
	u8 op = ops[below(trial, ARRAY_SIZE(ops))],
	   class = below(trial, 2) ? BPF_ALU64 : BPF_ALU;
	bool is_register = below(trial, 3) && op != BPF_NEG && op != BPF_END;
	s32 imm = pick_imm(trial), off = 0;

	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		imm = (s32)below(trial, class == BPF_ALU ? 32 : 64);
	if (op == BPF_DIV || op == BPF_MOD) {
		off = (s32)below(trial, 2);
		imm = imm ? imm : 3;
	}
	if (op == BPF_MOV && is_register)
		off = (s32)(8u << below(trial, class == BPF_ALU ? 2 : 3)) *
		      (s32)below(trial, 2);
	if (op == BPF_NEG || is_register)
		imm = 0;
	if (op == BPF_END)
		imm = (s32)(16u << below(trial, 3));
	emit(trial, class | op | (is_register ? BPF_X : BPF_K), FIRST, is_register ? SECOND : 0,
	     off, imm);
}

static void make_trial(u64 seed, struct trial *trial)
{
	*trial = (struct trial){.random = seed * 0x9e3779b97f4a7c15 + 1};
	for (u32 i = 0; i < 8; i++)
		random_next(&trial->random);
	emit(trial, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_8, BPF_PSEUDO_MAP_VALUE, 0, 0);
	emit(trial, 0, 0, 0, 0, 0);
	emit_load(trial, FIRST, 0);
	emit_load(trial, SECOND, 8);
	for (u32 i = below(trial, 5); i; i--)
		emit_narrowing(trial, FIRST);
	for (u32 i = below(trial, 5); i; i--)
		emit_narrowing(trial, SECOND);
	if (below(trial, 3))
		emit_operation(trial);
	else
		emit_exit_if(trial, pick_jump(trial) | BPF_X, FIRST, SECOND, 0);
	trial->end = trial->count;
	/* Both are used, so that nobody forgets them. */
	emit(trial, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, FIRST, 0, 0);
	emit(trial, BPF_ALU64 | BPF_XOR | BPF_X, BPF_REG_0, SECOND, 0, 0);
	emit(trial, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	for (u32 i = 0; i < trial->exit_cnt; i++)
		trial->insns[trial->exits[i]].off =
			(s16)(trial->count - 1 - trial->exits[i] - 1);
	emit(trial, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* --- Linux --- */

static int linux_bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

static bool load_into_linux(struct contest *contest, const struct trial *trial)
{
	struct trial own = *trial;
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = ptr_to_u64(own.insns),
		.insn_cnt = own.count,
		.license = ptr_to_u64("GPL"),
		.log_level = 2,
		.log_buf = ptr_to_u64(contest->log),
		.log_size = LOG_SIZE,
	};
	int fd;

	own.insns[0].imm = contest->linux_map;
	contest->log[0] = 0;
	fd = linux_bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

struct field {
	const char *name;
	size_t offset;
	u32 size;
};

#define FIELD(name)                                                                      \
	{                                                                                \
#name, offsetof(struct scalar, name), sizeof(((struct scalar *)0)->name) \
	}

static const struct field fields[] = {
	FIELD(smin),   FIELD(smax),   FIELD(umin),   FIELD(umax),
	FIELD(smin32), FIELD(smax32), FIELD(umin32), FIELD(umax32),
};

static void set_field(struct scalar *scalar, const char *name, size_t length, u64 value)
{
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *field = &fields[i];

		if (strlen(field->name) == length && !strncmp(field->name, name, length))
			memcpy((char *)scalar + field->offset, &value, field->size);
	}
}

static u64 read_number(const char *text, const char **end)
{
	bool is_negative = *text == '-';
	u64 value = strtoull(text + is_negative, (char **)end, 0);

	return is_negative ? -value : value;
}

static bool is_number(const char *text)
{
	return *text == '-' || (*text >= '0' && *text <= '9');
}

/* "smin=0,smax=umax=255,var_off=(0x0; 0xff))": names that share a value stand before it. */
static void read_ranges(const char *text, struct scalar *out)
{
	while (*text != ')' && *text != '\n' && *text) {
		const char *names = text, *end;
		u64 value;

		if (!strncmp(text, "var_off=(", 9)) {
			char *rest;

			out->bits.value = strtoull(text + 9, &rest, 0);
			out->bits.mask = strtoull(rest + 1, NULL, 0);
			return;
		}
		while (*text != '=' || !is_number(text + 1))
			if (!*text++)
				return;
		value = read_number(text + 1, &end);
		for (; names < text; names += strcspn(names, "=") + 1)
			set_field(out, names, strcspn(names, "="), value);
		text = end + (*end == ',');
	}
}

/* The register in one line of a log. */
static bool read_register(const char *line, u8 reg, struct scalar *out)
{
	char name[8];
	size_t length = strcspn(line, "\n");
	const char *at, *end;

	snprintf(name, sizeof(name), " R%u", reg);
	for (at = strstr(line, name); at && at < line + length; at = strstr(at + 1, name)) {
		const char *value = at + strcspn(at, "=") + 1;

		value += *value == 'P';
		*out = scalar_unknown();
		if (is_number(value)) {
			*out = scalar_const(read_number(value, &end));
			return true;
		}
		if (!strncmp(value, "scalar(", 7)) {
			read_ranges(value + 7, out);
			return true;
		}
	}
	return false;
}

/* Linux goes on twice where a number that is 0 or -1 is masked: not one fact to compare. */
static bool has_fork(const char *log)
{
	for (const char *line = strstr(log, "\nfrom "); line;
	     line = strstr(line + 1, "\nfrom ")) {
		u32 from, to;

		if (sscanf(line, "\nfrom %u to %u:", &from, &to) == 2 && from == to)
			return true;
	}
	return false;
}

/* What the log last said of the register before it came to `trial->end`; false: it did not. */
static bool linux_register(const struct contest *contest, const struct trial *trial, u8 reg,
			   struct scalar *out)
{
	char end[16];
	size_t length = (size_t)snprintf(end, sizeof(end), "%u: (", trial->end);

	if (has_fork(contest->log))
		return false;
	*out = scalar_unknown();
	for (const char *line = contest->log; *line;) {
		if (!strncmp(line, end, length))
			return true;
		if (strncmp(line, "mark_precise", 12))
			read_register(line, reg, out);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

/* --- skep --- */

static const struct map_desc *map_by_fd(void *cookie, int fd, bool is_index, int *err)
{
	return &((struct contest *)cookie)->map;
}

static bool verify(struct contest *contest, const struct trial *trial, struct verified **out)
{
	struct verify_input input = {
		.insns = trial->insns,
		.insn_cnt = trial->count,
		.type = BPF_PROG_TYPE_SCHED_CLS,
		.flags = VERIFY_REG_FACTS,
		.rights = SKEP_RIGHTS_ALL,
		.gpl = true,
		.map_by_fd = map_by_fd,
		.cookie = contest,
	};
	struct skep_error err;

	return !verify_program(&input, out, &err);
}

/* --- the comparison --- */

static void print_trial(const struct trial *trial)
{
	struct strbuf text;

	for (u32 i = 2; i < trial->end; i++) {
		strbuf_init(&text);
		insn_print(trial->insns, trial->count, i, INSN_SYNTAX_KERNEL, NULL, &text);
		printf("# %4u: %s\n", i, strbuf_text(&text));
		strbuf_done(&text);
	}
}

static void print_scalar(const char *who, u8 reg, const struct scalar *scalar)
{
	printf("#   %-5s r%u: %lld..%lld, %#llx..%#llx, 32: %d..%d, %#x..%#x, bits %#llx/%#llx\n",
	       who, reg, scalar->smin, scalar->smax, scalar->umin, scalar->umax, scalar->smin32,
	       scalar->smax32, scalar->umin32, scalar->umax32, scalar->bits.value,
	       scalar->bits.mask);
}

static void compare_register(struct contest *contest, const struct trial *trial, u64 seed,
			     const struct verified *verified, u8 reg)
{
	const struct scalar *ours = &verified->regs[trial->end][reg].number;
	struct scalar theirs;

	if (!linux_register(contest, trial, reg, &theirs))
		return;
	contest->compared++;
	if (scalar_contains(&theirs, ours)) {
		contest->narrower += !scalar_contains(ours, &theirs);
		return;
	}
	if (contest->wider++ >= SHOWN_MAX)
		return;
	printf("# seed %llu: r%u is wider than Linux has it\n", seed, reg);
	print_trial(trial);
	print_scalar("skep", reg, ours);
	print_scalar("Linux", reg, &theirs);
}

static void compare(struct contest *contest, u64 seed)
{
	struct trial trial;
	struct verified *verified;

	make_trial(seed, &trial);
	if (!load_into_linux(contest, &trial) || !verify(contest, &trial, &verified)) {
		contest->refused++;
		return;
	}
	if (verified->facts[trial.end].visited) {
		compare_register(contest, &trial, seed, verified, FIRST);
		compare_register(contest, &trial, seed, verified, SECOND);
	}
	verified_free(verified);
}

static bool open_maps(struct contest *contest)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = sizeof(u32),
			       .value_size = VALUE_SIZE,
			       .max_entries = 1};

	contest->map = (struct map_desc){.type = BPF_MAP_TYPE_ARRAY,
					 .key_size = sizeof(u32),
					 .value_size = VALUE_SIZE,
					 .max_entries = 1,
					 .values = contest->values};
	contest->log = malloc(LOG_SIZE);
	contest->linux_map = linux_bpf(BPF_MAP_CREATE, &attr);
	return contest->log && contest->linux_map >= 0;
}

int main(int argc, char **argv)
{
	static struct contest contest;
	u64 seed = 1, count = 1000;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--count"))
			count = strtoull(argv[i + 1], NULL, 0);
	}
	if (!open_maps(&contest)) {
		printf("1..0 # SKIP bpf(2) may not be used here\n");
		return 0;
	}
	printf("1..1\n");
	for (u64 i = 0; i < count; i++)
		compare(&contest, seed + i);
	printf("# %llu numbers compared, %llu known better than Linux does, %llu worse; %llu "
	       "programs refused\n",
	       contest.compared, contest.narrower, contest.wider, contest.refused);
	printf("%s 1 - no range is wider than Linux's\n", contest.wider ? "not ok" : "ok");
	free(contest.log);
	return contest.wider != 0;
}
