/* SPDX-License-Identifier: BSD-2-Clause */
/* A program whose machine code is broken on purpose: what the report of its crash says. */
#include "base/rcu.h"
#include "base/types.h"
#include "isa/isa.h"
#include "tests/unit.h"

#include <errno.h>
#include <linux/btf.h>
#include <signal.h>
#include <skep/debug.h>
#include <skep/extend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

/* --- a program with types and lines --- */

#define STRINGS "\0int\0x\0broken\0dir/broken.c\0first line\0  second line\0"

enum {
	STRING_INT = 1,
	STRING_X = 5,
	STRING_BROKEN = 7,
	STRING_FILE = 14,
	STRING_FIRST = 27,
	STRING_SECOND = 38,
};

static const struct {
	struct btf_header header;
	struct btf_type integer;
	u32 bits;
	struct btf_type prototype;
	struct btf_param param;
	struct btf_type function;
	char strings[sizeof(STRINGS)];
} types = {
	.header = {.magic = BTF_MAGIC,
		   .version = BTF_VERSION,
		   .hdr_len = sizeof(struct btf_header),
		   .type_len =
			   3 * sizeof(struct btf_type) + sizeof(u32) + sizeof(struct btf_param),
		   .str_off =
			   3 * sizeof(struct btf_type) + sizeof(u32) + sizeof(struct btf_param),
		   .str_len = sizeof(STRINGS)},
	.integer = {.name_off = STRING_INT, .info = BTF_KIND_INT << 24, .size = 4},
	.bits = 32,
	.prototype = {.info = BTF_KIND_FUNC_PROTO << 24 | 1, .type = 1},
	.param = {.name_off = STRING_X, .type = 1},
	.function = {.name_off = STRING_BROKEN, .info = BTF_KIND_FUNC << 24, .type = 2},
	.strings = STRINGS,
};

#define BTF_SIZE (offsetof(typeof(types), strings) + sizeof(STRINGS))

static const struct bpf_func_info functions[] = {{0, 3}};
static const struct bpf_line_info lines[] = {
	{0, STRING_FILE, STRING_FIRST, 7 << 10 | 1},
	{2, STRING_FILE, STRING_SECOND, 9 << 10 | 3},
};

/* The second line is the store, which no tier does without. */
static const char program[] = "r2 = *(u32 *)(r1 + 0);"
			      "r3 = *(u32 *)(r1 + 4);"
			      "*(u32 *)(r1 + 48) = r2;"
			      "r0 = 2; exit";

static struct skep_engine *engine;

static int load(void)
{
	union bpf_attr btf = {.btf = ptr_to_u64(&types), .btf_size = BTF_SIZE};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			       .license = ptr_to_u64("none"),
			       .prog_name = "broken",
			       .func_info = ptr_to_u64(functions),
			       .func_info_cnt = ARRAY_SIZE(functions),
			       .func_info_rec_size = sizeof(*functions),
			       .line_info = ptr_to_u64(lines),
			       .line_info_cnt = ARRAY_SIZE(lines),
			       .line_info_rec_size = sizeof(*lines)};
	struct bpf_insn *insns;
	struct skep_error err;
	int fd;

	fd = skep_bpf(engine, BPF_BTF_LOAD, &btf, sizeof(btf));
	if (fd < 0)
		fail_msg("BTF: %s", skep_engine_error(engine)->text);
	attr.prog_btf_fd = (u32)fd;
	if (insns_assemble(program, &insns, &attr.insn_cnt, &err))
		fail_msg("%s", err.text);
	attr.insns = ptr_to_u64(insns);
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fail_msg("%s", skep_engine_error(engine)->text);
	close((int)attr.prog_btf_fd);
	free(insns);
	return fd;
}

static void run(int prog)
{
	static const u8 packet[64];
	union bpf_attr attr = {.test = {.prog_fd = (u32)prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet)}};

	skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

static u8 *code_of(int prog)
{
	u64 address = 0;
	struct bpf_prog_info info = {.jited_ksyms = ptr_to_u64(&address), .nr_jited_ksyms = 1};
	union bpf_attr attr = {.info = {.bpf_fd = (u32)prog,
					.info = ptr_to_u64(&info),
					.info_len = sizeof(info)}};

	assert_int_equal(skep_bpf(engine, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	assert_int_not_equal(address, 0);
	return u64_to_ptr(address);
}

static void start(u32 jit)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .jit = jit};

	engine = skep_engine_new(&opts, NULL);
	assert_non_null(engine);
}

/* The first byte of an instruction's code. */
static u8 *code_at(u8 *code, u32 insn)
{
	struct skep_code_place place = {.sz = sizeof(place)};
	u8 *found = NULL;

	rcu_read_lock();
	for (u8 *at = code; !found && !skep_code_find(engine, at, &place); at++)
		if (place.insn == insn)
			found = at;
	rcu_read_unlock();
	assert_non_null(found);
	return found;
}

static void test_places(void **state)
{
	static const u32 tiers[] = {SKEP_JIT_BASE, SKEP_JIT_FULL};

	for (u32 i = 0; i < ARRAY_SIZE(tiers); i++) {
		struct skep_code_place place = {.sz = sizeof(place)};
		int prog;
		u8 *at;

		start(tiers[i]);
		prog = load();
		at = code_at(code_of(prog), 2);
		assert_int_equal(skep_code_find(engine, at, &place), -ENOENT); /* no run */
		rcu_read_lock();
		assert_int_equal(skep_code_find(engine, at, &place), 0);
		assert_int_equal(skep_code_find(engine, &place, &place), -ENOENT);
		assert_int_equal(skep_code_find(engine, at, &place), 0);
		assert_string_equal(place.name, "broken");
		assert_string_equal(place.function, "broken");
		assert_string_equal(place.file, "dir/broken.c");
		assert_string_equal(place.text, "second line");
		assert_int_equal(place.line, 9);
		assert_int_equal(place.column, 3);
		assert_ptr_equal(place.code, code_of(prog));
		rcu_read_unlock();
		close(prog);
		skep_engine_free(engine);
	}
}

/* --- a crash --- */

static void report(int signal, siginfo_t *info, void *context)
{
	char buffer[2048];
	size_t length =
		skep_crash_describe(engine, signal, info, context, buffer, sizeof(buffer));

	_exit(write(STDOUT_FILENO, buffer, length) == (ssize_t)length ? 0 : 1);
}

static void crash(int prog, int out)
{
	const struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO};
	u8 *at = code_at(code_of(prog), 2);
	u8 *page = (u8 *)((uintptr_t)at & ~(uintptr_t)4095);

	dup2(out, STDOUT_FILENO);
	sigaction(SIGILL, &action, NULL);
	if (mprotect(page, 8192, PROT_READ | PROT_WRITE) &&
	    mprotect(page, 4096, PROT_READ | PROT_WRITE))
		_exit(2);
	memcpy(at, "\x0f\x0b", 2); /* ud2 */
	mprotect(page, 8192, PROT_READ | PROT_EXEC);
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	run(prog);
	_exit(3);
}

/* What a child that crashes with the program writes. */
static void read_report(void (*crash_with)(int prog, int out), int prog, char text[2049])
{
	size_t length = 0;
	int ends[2], status;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		crash_with(prog, ends[1]);
	close(ends[1]);
	while ((got = read(ends[0], text + length, 2048 - length)) > 0)
		length += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	text[length] = '\0';
}

static void test_report(void **state)
{
	static const char *const wanted[] = {
		"SIGILL in the machine code of program 'broken' (id ",
		"), instruction 2 of broken()\n  dir/broken.c:9: second line\n",
		"  rax ",
		"  r15 ",
		"rip ",
		" [0f] 0b"};
	char text[2049] = "";
	int prog;

	start(SKEP_JIT_FULL);
	prog = load();
	read_report(crash, prog, text);
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("wanted '%s' in '%s'", wanted[i], text);
	close(prog);
	skep_engine_free(engine);
}

static void test_without_run(void **state)
{
	char buffer[16] = "untouched";
	siginfo_t info = {0};
	static ucontext_t context;

	start(SKEP_JIT_FULL);
	assert_int_equal(
		skep_crash_describe(engine, SIGSEGV, &info, &context, buffer, sizeof(buffer)),
		0);
	assert_string_equal(buffer, "untouched");
	skep_engine_free(engine);
}

/* --- the way back --- */

struct walk {
	const void *beyond; /* on the stack of who runs the program */
	bool is_in_program, is_through;
};

static struct walk walked;
static bool is_to_crash;

static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *cookie)
{
	struct skep_code_place place = {.sz = sizeof(place)};
	const void *pc = u64_to_ptr(_Unwind_GetIP(context) - 1);

	walked.is_in_program |= !skep_code_find(engine, pc, &place);
	walked.is_through |= _Unwind_GetCFA(context) > ptr_to_u64(walked.beyond);
	return _URC_NO_REASON;
}

static uint64_t walk_back(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
			  struct skep_run *of)
{
	if (is_to_crash)
		raise(SIGILL);
	_Unwind_Backtrace(look_at_frame, NULL);
	return 1;
}

static const struct skep_function walk_functions[] = {
	{.name = "walk_back", .body = walk_back, .helper_id = SKEP_HELPER_FIRST}};

static const struct skep_extension extension = {.sz = sizeof(extension),
						.name = "walk",
						.declarations = "int walk_back(void);",
						.functions = walk_functions,
						.function_cnt = 1};

/* From a function of the program, in the depth. */
static const char calls[] = "call own; exit;"
			    "own: r6 = 1; r7 = 2; *(u64 *)(r10 - 64) = r6;"
			    "call %d; r0 += r6; r0 += r7; exit";

static int load_calls(u32 jit)
{
	const struct skep_engine_opts opts = {
		.sz = sizeof(opts), .jit = jit, .extension = &extension};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			       .prog_name = "calls",
			       .license = ptr_to_u64("none")};
	struct bpf_insn *insns;
	char text[256];
	int prog;

	engine = skep_engine_new(&opts, NULL);
	assert_non_null(engine);
	snprintf(text, sizeof(text), calls, SKEP_HELPER_FIRST);
	assert_int_equal(insns_assemble(text, &insns, &attr.insn_cnt, NULL), 0);
	attr.insns = ptr_to_u64(insns);
	prog = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0)
		fail_msg("%s", skep_engine_error(engine)->text);
	free(insns);
	return prog;
}

static void test_way_back(void **state)
{
	static const u32 tiers[] = {SKEP_JIT_BASE, SKEP_JIT_FULL};

	for (u32 i = 0; i < ARRAY_SIZE(tiers); i++) {
		const int prog = load_calls(tiers[i]);

		walked = (struct walk){.beyond = &prog};
		run(prog);
		assert_true(walked.is_in_program);
		assert_true(walked.is_through);
		close(prog);
		skep_engine_free(engine);
	}
}

static void crash_in_call(int prog, int out)
{
	const struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO};

	dup2(out, STDOUT_FILENO);
	sigaction(SIGILL, &action, NULL);
	is_to_crash = true;
	run(prog);
	_exit(3);
}

/* What crashes is what the program called, in the depth. */
static void test_called(void **state)
{
	static const u32 tiers[] = {SKEP_JIT_BASE, SKEP_JIT_FULL};
	static const char *const wanted[] = {"SIGILL in a function called by program 'calls' (id ",
					     "), instruction 5", "\n  "};

	for (u32 i = 0; i < ARRAY_SIZE(tiers); i++) {
		char text[2049] = "";
		const int prog = load_calls(tiers[i]);

		read_report(crash_in_call, prog, text);
		for (u32 k = 0; k < ARRAY_SIZE(wanted); k++)
			if (!strstr(text, wanted[k]))
				fail_msg("wanted '%s' in '%s'", wanted[k], text);
		close(prog);
		skep_engine_free(engine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_without_run),
		cmocka_unit_test(test_way_back),
		cmocka_unit_test(test_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
