/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the room: the base tier. One pass over the code, instruction by instruction, each
 * program register in a machine register of its own:
 *
 *	r0 rax   r1 rdi   r2 rsi   r3 rdx   r4 rcx   r5 r8   (as a C call passes them)
 *	r6 rbx   r7 r13   r8 r14   r9 r15   r10 rbp          (kept over calls)
 *	r12: the run's struct executor      r9, r10, r11: free within one instruction
 *	r9 is also the register of a constant that is blinded (blind.c)
 *
 * and of arm64:
 *
 *	r0 x7    r1 to r5 x0 to x4          r6 to r9 x19 to x22   r10 x29 (kept over calls)
 *	x28: the run's struct executor      x8, x14 to x17: free within one instruction
 *
 * A subprogram is a function: it keeps what C's functions keep, expects the executor, and may
 * change all others. Its stack is the machine's. Addresses of functions stand behind the code, in
 * the pool. What of this the full tier (full.h) needs, too, it has from here.
 *
 * What is said of base_X.c below is in arm64_base_X.c on arm64.
 */
#ifndef SKEP_JIT_BASE_H
#define SKEP_JIT_BASE_H

#include "jit/machine.h"
#include "run/code.h"

struct native;
struct prog;

/* 0 or -ENOMEM, -EACCES. */
int base_compile(const struct prog *prog, struct native **out);

struct base_fixup {
	u32 at;	    /* of a distance in the code */
	u32 target; /* an instruction, a subprogram, or an entry of the pool */
};

/* What grows as it is used. */
struct base_fixups {
	struct base_fixup *list;
	u32 count, room;
};

struct base {
	struct emit emit;
	struct arena arena;
	const struct prog_code *code;
	const struct verified *verified;
	u32 *offset;			/* of each instruction in the machine code */
	u32 extension;			/* the stub of calls that are replaced */
	u32 ask;			/* that of tail calls which the run time decides */
	u32 *entry;			/* of each subprogram, likewise */
	struct unwind_function *frames; /* of what stands before the program, then of each */
	struct base_fixups jumps, calls, pool_uses;
	struct base_fixups places; /* what code comes from which instruction */
	u64 *pool;
	u32 pool_cnt, pool_room;
	const struct prog *prog;
	/* The subprogram that is being translated. */
	const struct subprog *subprog;
	u32 used;      /* registers that it uses, as bits */
	bool has_fuel; /* runs are limited */
	bool is_blinded; /* constants are (blind.c) */
	u64 random;	 /* state of what they are blinded with */
	bool is_large;	 /* nearer jumps than the machine's farthest may not reach */
	u32 stop;      /* where they go when they have to end */
	int err;       /* -EOPNOTSUPP: an instruction has no machine code, the program stays
			  interpreted */
	void *cookie; /* of whoever translates subprograms */
};

/* What both tiers make of the whole: `translate` makes the code of one subprogram. */
int base_compile_with(const struct prog *prog, int (*translate)(struct base *base, u32 index),
		      void *cookie, struct native **out);
/* The subprogram's code begins here; and back to a mark, as if nothing had been made since. */
struct base_mark {
	u32 offset, calls, pool_uses, places;
};

void base_begin(struct base *base, u32 index);
struct base_mark base_mark(const struct base *base);
void base_back(struct base *base, const struct base_mark *mark);
struct unwind_function *base_frame_of(struct base *base, u32 index);
void base_call_subprog(struct base *base, u32 index);
/* The subprogram, or the extension that replaces it when the call is made. */
void base_call_replaceable(struct base *base, u32 callee);
/* What follows is of the instruction. */
void base_place(struct base *base, u32 at);
/* Out of memory: base->err. */
void base_add(struct base *base, struct base_fixups *fixups, u32 at, u32 target);
/* The entry of the pool with the address. */
u32 base_pool_entry(struct base *base, u64 address);
/* The jump goes to the target; too far: base->err. */
void base_aim(struct base *base, u32 at, u32 target);

/* Of the program; behind them that of blinded constants. */
#define BASE_CONSTANT MAX_BPF_REG
extern const u8 base_reg[MAX_BPF_REG + 1];

static inline u8 dst_of(const struct code_insn *insn)
{
	return base_reg[insn->dst];
}

static inline u8 src_of(const struct code_insn *insn)
{
	return base_reg[insn->src];
}

/* `mov to, from` unless they are the same. */
void base_move(struct base *base, machine_width width, u8 to, u8 from);
/* Calls a C function; rsp is aligned for it. */
void base_call(struct base *base, const void *function);
/* The run's context. */
void base_load_run(struct base *base, u8 to);

/* --- base_call.c --- */
/* Calls what the site is made for, which finds the site in the run. */
void base_call_body(struct base *base, const struct call_site *site);
/* A tail call of the callee made another program the run's. */
void base_restore_program(struct base *base);
/* r0 becomes what C returned. */
void base_take_result(struct base *base);
/* The map that the call is always with; NULL: it is found out when the program runs. */
const struct map *base_map_of_call(const struct base *base, u32 at);

/* --- base_alu.c --- */
enum base_alu {
#define ALU(name, ...) ALU_##name,
#include "run/ops.def"
};

void base_alu(struct base *base, const struct code_insn *insn, enum base_alu what,
	      machine_width width, bool is_reg);
void base_compare(struct base *base, const struct code_insn *insn, machine_width width,
		  bool is_reg);
void base_test(struct base *base, const struct code_insn *insn, machine_width width,
	       bool is_reg);
#define UNARY(name, ...) void base_##name(struct base *base, const struct code_insn *insn);
#include "run/ops.def"

/* --- base_memory.c --- */
void base_load(struct base *base, const struct code_insn *insn, machine_op op,
	       machine_width width);
void base_store_reg(struct base *base, const struct code_insn *insn, u32 bits);
void base_store_imm(struct base *base, const struct code_insn *insn, u32 bits);
void base_atomic(struct base *base, const struct code_insn *insn, machine_op op,
		 machine_width width);
void base_fetch(struct base *base, const struct code_insn *insn, enum base_alu what,
		machine_op op, machine_width width);

/* --- base_control.c --- */
struct unwind_function;

struct base_condition {
	machine_condition taken;
	machine_width width;
	bool is_test, is_reg;
};

void base_prologue(struct base *base);
void base_leave_frame(struct base *base);
/* Takes from the run's fuel; flags tell what is left, and end the run when that is below 0. */
void base_burn(struct base *base, u32 cost);
void base_stop_below_0(struct base *base);
/* How the present subprogram's prologue keeps registers. */
void base_frame(const struct base *base, struct unwind_function *out);
/* insn: the one at `at`, or what stands for it. */
void base_jump(struct base *base, u32 at, const struct code_insn *insn,
	       const struct base_condition *condition);

/* --- blind.c --- */
void base_blind_init(struct base *base);
u64 base_blind_key(struct base *base);
/* Whether the constant must not be seen. */
bool base_blinds(const struct base *base, u64 value);
/* A constant of the program's; flags and, for one of 64 bits, `scratch` change. */
void base_load_const(struct base *base, u8 to, u64 value, u8 scratch);

/* base_alu.c: the distance, or 0 beyond the limit, without a branch; r11 changes. */
void base_mask_distance(struct base *base, u8 distance, u32 limit);

/* What stands before a program: u64 enter(args, exec, target) from C into a subprogram, with
 * what ends a run from wherever it is; where a tail call to a program without machine code goes;
 * where a call goes whose function is replaced, the extension in the scratch register; u64 run(ctx,
 * exec) from C into the program; what a tail call asks where it goes (tail_call.h), of programs that
 * have one. */
#define BASE_STUBS 5

void base_enter_stub(struct base *base, struct unwind_function *frame);
void base_interpret_stub(struct base *base, struct unwind_function *frame);
void base_extension_stub(struct base *base, struct unwind_function *frame);
void base_run_stub(struct base *base, struct unwind_function *frame);
void base_ask_stub(struct base *base, struct unwind_function *frame);

/* base_map.c: does itself what the called helper does; false: the helper must be called. */
bool base_helper_inline(struct base *base, u32 at);

/* base_arguments.c: the helper gets copies of arguments that it would wait for; so many bytes
 * of the stack are theirs until after the call. */
u32 base_widen_arguments(struct base *base, u32 at);

/* The instruction at `at`, whose operation has a body of its own. */
#define CONTROL(name) void base_##name(struct base *base, u32 at);
#include "run/ops.def"

#if defined(__x86_64__)
/* 1, 2, 4 or 8 bytes, with zeros above them. */
void base_load_bytes(struct base *base, u8 to, u32 bytes, struct x86_mem from);
#endif

#endif
