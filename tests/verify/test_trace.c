/* SPDX-License-Identifier: BSD-2-Clause */
/* The log, as Linux 6.18 prints it; of a path that was put off only what is alive. */
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/verify.h"
#include <skep/skep.h>

#include <stdlib.h>
#include <string.h>

struct trace_row {
	const char *name, *text;
	u32 log_level;
	const char *log;
};

static const struct trace_row rows[] = {
	{"numbers and the stack",
	 "r2 = *(u32 *)(r1 + 0)\n"
	 "r2 &= 255\n"
	 "*(u64 *)(r10 - 8) = r2\n"
	 "*(u64 *)(r10 - 16) = r1\n"
	 "*(u32 *)(r10 - 32) = 5\n"
	 "*(u16 *)(r10 - 28) = 1\n"
	 "w4 = -1\n"
	 "r4 <<= 3\n"
	 "r5 = r10\n"
	 "r5 += -40\n"
	 "call 5\n"
	 "r0 s>>= 60\n"
	 "w8 = w0\n"
	 "r0 = 0\n"
	 "exit\n",
	 VERIFY_LOG_STATES,
	 "func#0 @0\n"
	 "Live regs before insn:\n"
	 "      0: .1........ (61) r2 = *(u32 *)(r1 +0)\n"
	 "      1: .12....... (57) r2 &= 255\n"
	 "      2: .12....... (7b) *(u64 *)(r10 -8) = r2\n"
	 "      3: .1........ (7b) *(u64 *)(r10 -16) = r1\n"
	 "      4: .......... (62) *(u32 *)(r10 -32) = 5\n"
	 "      5: .......... (6a) *(u16 *)(r10 -28) = 1\n"
	 "      6: .......... (b4) w4 = -1\n"
	 "      7: ....4..... (67) r4 <<= 3\n"
	 "      8: .......... (bf) r5 = r10\n"
	 "      9: .....5.... (07) r5 += -40\n"
	 "     10: .......... (85) call bpf_ktime_get_ns#5\n"
	 "     11: 0......... (c7) r0 s>>= 60\n"
	 "     12: 0......... (bc) w8 = w0\n"
	 "     13: .......... (b7) r0 = 0\n"
	 "     14: 0......... (95) exit\n"
	 "0: R1=ctx() R10=fp0\n"
	 "0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2=scalar(smin=0,"
	 "smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))\n"
	 "1: (57) r2 &= 255                     ; R2=scalar(smin=smin32=0,"
	 "smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))\n"
	 "2: (7b) *(u64 *)(r10 -8) = r2         ; R2=scalar(id=1,smin=smin32=0,"
	 "smax=umax=smax32=umax32=255,var_off=(0x0; 0xff)) R10=fp0 fp-8=scalar(id=1,"
	 "smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))\n"
	 "3: (7b) *(u64 *)(r10 -16) = r1        ; R1=ctx() R10=fp0 fp-16=ctx()\n"
	 "4: (62) *(u32 *)(r10 -32) = 5         ; R10=fp0 fp-32=?"
	 "?"
	 "?"
	 "?5\n"
	 "5: (6a) *(u16 *)(r10 -28) = 1         ; R10=fp0 fp-32=?"
	 "?mmmmmm\n"
	 "6: (b4) w4 = -1                       ; R4=0xffffffff\n"
	 "7: (67) r4 <<= 3                      ; R4=0x7fffffff8\n"
	 "8: (bf) r5 = r10                      ; R5=fp0 R10=fp0\n"
	 "9: (07) r5 += -40                     ; R5=fp-40\n"
	 "10: (85) call bpf_ktime_get_ns#5      ; R0=scalar()\n"
	 "11: (c7) r0 s>>= 60                   ; R0=scalar(smin=smin32=-8,"
	 "smax=smax32=7)\n"
	 "12: (bc) w8 = w0                      ; R0=scalar(smin=smin32=-8,"
	 "smax=smax32=7) R8=scalar(smin=0,smax=umax=0xffffffff,smin32=-8,smax32=7,"
	 "var_off=(0x0; 0xffffffff))\n"
	 "13: (b7) r0 = 0                       ; R0=0\n"
	 "14: (95) exit\n"
	 "processed 15 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_sta"
	 "tes 0 mark_read 0\n"},
	{"a call and a return",
	 "call pc+1\n"
	 "exit\n"
	 "r0 = 1\n"
	 "exit\n",
	 VERIFY_LOG_STATES,
	 "func#0 @0\n"
	 "func#1 @2\n"
	 "Live regs before insn:\n"
	 "      0: .12345.... (85) call pc+1\n"
	 "      1: 0......... (95) exit\n"
	 "      2: .......... (b7) r0 = 1\n"
	 "      3: 0......... (95) exit\n"
	 "0: R1=ctx() R10=fp0\n"
	 "0: (85) call pc+1\n"
	 "caller:\n"
	 " R10=fp0\n"
	 "callee:\n"
	 " frame1: R1=ctx() R10=fp0\n"
	 "2: frame1: R1=ctx() R10=fp0\n"
	 "2: (b7) r0 = 1                        ; frame1: R0=1\n"
	 "3: (95) exit\n"
	 "returning from callee:\n"
	 " frame1: R0=1 R1=ctx() R10=fp0\n"
	 "to caller at 1:\n"
	 " R0=1 R10=fp0\n"
	 "\n"
	 "from 3 to 1: R0=1 R10=fp0\n"
	 "1: (95) exit\n"
	 "processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_stat"
	 "es 0 mark_read 0\n"},
	{"two paths",
	 "r0 = *(u32 *)(r1 + 0)\n"
	 "if r0 s> 5 goto +1\n"
	 "r0 += -10\n"
	 "w0 = 0\n"
	 "exit\n",
	 VERIFY_LOG_STATES,
	 "func#0 @0\n"
	 "Live regs before insn:\n"
	 "      0: .1........ (61) r0 = *(u32 *)(r1 +0)\n"
	 "      1: 0......... (65) if r0 s> 0x5 goto pc+1\n"
	 "      2: 0......... (07) r0 += -10\n"
	 "      3: .......... (b4) w0 = 0\n"
	 "      4: 0......... (95) exit\n"
	 "0: R1=ctx() R10=fp0\n"
	 "0: (61) r0 = *(u32 *)(r1 +0)          ; R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R1=ctx()\n"
	 "1: (65) if r0 s> 0x5 goto pc+1        ; R0=scalar(smin=smin32=0,"
	 "smax=umax=smax32=umax32=5,var_off=(0x0; 0x7))\n"
	 "2: (07) r0 += -10                     ; R0=scalar(smin=smin32=-10,"
	 "smax=smax32=-5,umin=0xfffffffffffffff6,umax=0xfffffffffffffffb,"
	 "umin32=0xfffffff6,umax32=0xfffffffb,var_off=(0xfffffffffffffff0; 0xf))\n"
	 "3: (b4) w0 = 0                        ; R0=0\n"
	 "4: (95) exit\n"
	 "\n"
	 "from 1 to 3: R0=scalar(smin=umin=umin32=6,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R10=fp0\n"
	 "3: R0=scalar(smin=umin=umin32=6,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R10=fp0\n"
	 "3: (b4) w0 = 0                        ; R0=0\n"
	 "4: (95) exit\n"
	 "processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_stat"
	 "es 0 mark_read 0\n"},
	{"a rejection",
	 "r0 = r3\n"
	 "exit\n",
	 VERIFY_LOG_PATH,
	 "0: R1=ctx() R10=fp0\n"
	 "0: (bf) r0 = r3\n"
	 "R3 !read_ok\n"
	 "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_stat"
	 "es 0 mark_read 0\n"},
	{"large numbers are hexadecimal",
	 "r2 = 32767\n"
	 "r2 = 32768\n"
	 "r2 = -32768\n"
	 "r2 = -32769\n"
	 "r3 = *(u32 *)(r1 + 0)\n"
	 "r3 &= 65535\n"
	 "r3 += -32769\n"
	 "r0 = r9\n"
	 "exit\n",
	 VERIFY_LOG_PATH,
	 "0: R1=ctx() R10=fp0\n"
	 "0: (b7) r2 = 32767                    ; R2=32767\n"
	 "1: (b7) r2 = 32768                    ; R2=0x8000\n"
	 "2: (b7) r2 = -32768                   ; R2=-32768\n"
	 "3: (b7) r2 = -32769                   ; R2=0xffffffffffff7fff\n"
	 "4: (61) r3 = *(u32 *)(r1 +0)          ; R1=ctx() R3=scalar(smin=0,"
	 "smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))\n"
	 "5: (57) r3 &= 65535                   ; R3=scalar(smin=smin32=0,"
	 "smax=umax=smax32=umax32=0xffff,var_off=(0x0; 0xffff))\n"
	 "6: (07) r3 += -32769                  ; R3=scalar(smin=0xffffffffffff7fff,"
	 "smax=smax32=32766,smin32=0xffff7fff)\n"
	 "7: (bf) r0 = r9\n"
	 "R9 !read_ok\n"
	 "processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_stat"
	 "es 0 mark_read 0\n"},
	{"what was accepted is dropped",
	 "r0 = 0\n"
	 "exit\n",
	 VERIFY_LOG_PATH,
	 "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_stat"
	 "es 0 mark_read 0\n"},
	{"the same again",
	 "r0 = *(u32 *)(r1 + 0)\n"
	 "r0 += 0\n"
	 "if r0 != 7 goto -2\n"
	 "exit\n",
	 VERIFY_LOG_PATH,
	 "0: R1=ctx() R10=fp0\n"
	 "0: (61) r0 = *(u32 *)(r1 +0)          ; R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R1=ctx()\n"
	 "1: (07) r0 += 0                       ; R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff))\n"
	 "2: (55) if r0 != 0x7 goto pc-2 1: R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R10=fp0\n"
	 "1: (07) r0 += 0                       ; R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff))\n"
	 "2: (55) if r0 != 0x7 goto pc-2 1: R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R10=fp0\n"
	 "1: (07) r0 += 0                       ; R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff))\n"
	 "2: (55) if r0 != 0x7 goto pc-2 infinite loop detected at insn 1\n"
	 "cur state: R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R10=fp0\n"
	 "old state: R0=scalar(smin=0,smax=umax=0xffffffff,"
	 "var_off=(0x0; 0xffffffff)) R10=fp0\n"
	 "processed 11 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_sta"
	 "tes 1 mark_read 0\n"},
};

static void print_log(const struct trace_row *row, struct strbuf *log)
{
	struct verify_input input = {.type = BPF_PROG_TYPE_SOCKET_FILTER,
				     .rights = SKEP_RIGHTS_ALL,
				     .gpl = true,
				     .log_level = row->log_level,
				     .log = log};
	struct verified *verified;
	struct bpf_insn *insns;
	struct skep_error err;

	if (insns_assemble(row->text, &insns, &input.insn_cnt, &err))
		fail_msg("%s: %s: %s", row->name, err.where, err.text);
	input.insns = insns;
	if (!verify_program(&input, &verified, &err))
		verified_free(verified);
	free(insns);
}

static void the_log_is_as_linux_prints_it(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strbuf log;

		strbuf_init(&log);
		print_log(&rows[i], &log);
		if (strcmp(strbuf_text(&log), rows[i].log))
			fail_msg("%s:\n%s", rows[i].name, strbuf_text(&log));
		strbuf_done(&log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_is_as_linux_prints_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
