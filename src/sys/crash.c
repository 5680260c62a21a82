/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in which program something happened, told from a signal's handler: no locks, no heap.
 */
#include "base/error.h"
#include "run/native.h"
#include "sys/code.h"
#include "sys/engine.h"
#include "verify/line.h"

#include <errno.h>
#include <signal.h>
#include <skep/debug.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

static const char *function_of(const struct prog *prog, u32 insn)
{
	const struct verified *verified = prog->verified;
	u32 i = 0;

	while (i + 1 < verified->subprog_cnt && verified->subprogs[i + 1].start <= insn)
		i++;
	return verified->subprogs[i].name;
}

static bool find_place(struct skep_engine *engine, const void *pc, struct skep_code_place *out)
{
	const struct code_record *record;
	const struct native *native;
	struct source_line line;

	/* A thread that runs a program is in a section already. */
	if (!engine || !rcu_read_ongoing())
		return false;
	record = code_find(&engine->codes, pc);
	native = record ? record->native : NULL;
	if (!native || !native_insn_at(native, pc, &out->insn))
		return false;
	out->prog_id = record->prog->object.id;
	memcpy(out->name, record->prog->name, sizeof(out->name));
	out->function = function_of(record->prog, out->insn);
	out->code = record->start;
	out->code_size = (size_t)(record->end - record->start);
	if (code_line_of(record->prog, out->insn, &line)) {
		out->file = line.file;
		out->text = line.text;
		out->line = line.number;
		out->column = line.column;
	}
	return true;
}

int skep_code_find(struct skep_engine *engine, const void *pc, struct skep_code_place *out)
{
	struct skep_code_place place = {.sz = out->sz};

	if (!find_place(engine, pc, &place))
		return -ENOENT;
	memcpy(out, &place, min(out->sz, sizeof(place)));
	return 0;
}

/* --- who called --- */

struct search {
	struct skep_engine *engine;
	struct skep_code_place *out;
	bool is_found;
};

static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *cookie)
{
	struct search *search = cookie;
	int is_at_fault; /* else the address is behind the call */
	const u64 pc = _Unwind_GetIPInfo(context, &is_at_fault);

	search->is_found = find_place(search->engine, u64_to_ptr(pc - !is_at_fault), search->out);
	return search->is_found ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* The innermost program on the thread's stack. */
static bool find_caller(struct skep_engine *engine, struct skep_code_place *out)
{
	struct search search = {.engine = engine, .out = out};

	if (engine && rcu_read_ongoing())
		_Unwind_Backtrace(look_at_frame, &search);
	return search.is_found;
}

/* --- text --- */

struct report {
	char *text;
	size_t length, room; /* one byte of it is for the end */
};

static void add(struct report *report, const char *text)
{
	while (*text && report->length + 1 < report->room)
		report->text[report->length++] = *text++;
	report->text[report->length] = '\0';
}

static void add_number(struct report *report, u64 value, u32 base, u32 digits)
{
	char text[24];
	u32 at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while ((value || sizeof(text) - 1 - at < digits) && at);
	add(report, text + at);
}

static void add_decimal(struct report *report, u64 value)
{
	add_number(report, value, 10, 1);
}

static void add_address(struct report *report, u64 value)
{
	add(report, "0x");
	add_number(report, value, 16, 1);
}

/* --- what the machine says --- */

#if defined(__x86_64__)
static const void *program_counter(const ucontext_t *context)
{
	return u64_to_ptr((u64)context->uc_mcontext.gregs[REG_RIP]);
}

static void add_registers(struct report *report, const ucontext_t *context)
{
	static const struct {
		const char *name;
		int number;
	} registers[] = {
		{"rax", REG_RAX}, {"rbx", REG_RBX},   {"rcx", REG_RCX}, {"rdx", REG_RDX},
		{"rsi", REG_RSI}, {"rdi", REG_RDI},   {"rbp", REG_RBP}, {"rsp", REG_RSP},
		{"r8 ", REG_R8},  {"r9 ", REG_R9},    {"r10", REG_R10}, {"r11", REG_R11},
		{"r12", REG_R12}, {"r13", REG_R13},   {"r14", REG_R14}, {"r15", REG_R15},
		{"rip", REG_RIP}, {"flags", REG_EFL},
	};

	for (u32 i = 0; i < ARRAY_SIZE(registers); i++) {
		add(report, i % 4 ? "  " : "\n  ");
		add(report, registers[i].name);
		add(report, " ");
		add_number(report, (u64)context->uc_mcontext.gregs[registers[i].number], 16,
			   16);
	}
}
#elif defined(__aarch64__)
static const void *program_counter(const ucontext_t *context)
{
	return u64_to_ptr(context->uc_mcontext.pc);
}

static void add_register(struct report *report, const char *name, u64 value)
{
	add(report, name);
	add(report, " ");
	add_number(report, value, 16, 16);
}

static void add_registers(struct report *report, const ucontext_t *context)
{
	const mcontext_t *machine = &context->uc_mcontext;

	for (u32 i = 0; i < ARRAY_SIZE(machine->regs); i++) {
		const char name[] = {'x', i > 9 ? (char)('0' + i / 10) : (char)('0' + i),
				     i > 9 ? (char)('0' + i % 10) : ' ', '\0'};

		add(report, i % 4 ? "  " : "\n  ");
		add_register(report, name, machine->regs[i]);
	}
	add_register(report, "  sp ", machine->sp);
	add_register(report, "\n  pc ", machine->pc);
	add_register(report, "  flags", machine->pstate);
}
#else
static const void *program_counter(const ucontext_t *context)
{
	return NULL;
}

static void add_registers(struct report *report, const ucontext_t *context)
{
}
#endif

#define CODE_BEFORE 16
#define CODE_BEHIND 16

/* The byte at the place in brackets. */
static void add_code(struct report *report, const struct skep_code_place *place, const void *pc)
{
	const u8 *code = place->code, *at = pc;

	add(report, "\n  code");
	for (const u8 *byte = at - CODE_BEFORE; byte < at + CODE_BEHIND; byte++) {
		if (byte < code || byte >= code + place->code_size)
			continue;
		add(report, byte == at ? " [" : " ");
		add_number(report, *byte, 16, 2);
		add(report, byte == at ? "]" : "");
	}
	add(report, "\n");
}

static const char *signal_name(int signal)
{
	switch (signal) {
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	case SIGILL: return "SIGILL";
	case SIGFPE: return "SIGFPE";
	default: return "a signal";
	}
}

static void add_place(struct report *report, const struct skep_code_place *place)
{
	add(report, "program '");
	add(report, place->name);
	add(report, "' (id ");
	add_decimal(report, place->prog_id);
	add(report, "), instruction ");
	add_decimal(report, place->insn);
	if (place->function) {
		add(report, " of ");
		add(report, place->function);
		add(report, "()");
	}
	if (!place->file)
		return;
	add(report, "\n  ");
	add(report, place->file);
	add(report, ":");
	add_decimal(report, place->line);
	add(report, ": ");
	add(report, place->text);
}

size_t skep_crash_describe(struct skep_engine *engine, int signal, const void *siginfo,
			   const void *ucontext, char *out, size_t size)
{
	struct report report = {.text = out, .room = size};
	struct skep_code_place place = {.sz = sizeof(place)};
	const siginfo_t *info = siginfo;
	const void *pc = program_counter(ucontext);
	const bool is_own = size && find_place(engine, pc, &place);

	if (!size || (!is_own && !find_caller(engine, &place)))
		return 0;
	add(&report, signal_name(signal));
	if (signal == SIGSEGV || signal == SIGBUS) {
		add(&report, " at address ");
		add_address(&report, ptr_to_u64(info->si_addr));
	}
	add(&report, is_own ? " in the machine code of " : " in a function called by ");
	add_place(&report, &place);
	add_registers(&report, ucontext);
	if (is_own)
		add_code(&report, &place, pc);
	else
		add(&report, "\n");
	return report.length;
}
