/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program as the interpreter runs it, and the state of one run. One code_insn for each
 * instruction of the program, at the same index: an instruction of two slots keeps its second
 * slot, fused instructions keep all their slots, and jumps may still go to any of them.
 *
 * Two builds of the interpreter (interpreter.h) run the same code: the fast one follows
 * `handler`, the checked one `op`.
 */
#ifndef SKEP_RUN_CODE_H
#define SKEP_RUN_CODE_H

#include "helper/run_context.h"
#include "run/violation.h"
#include "verify/verify.h"

enum code_op {
#define ALU(name, ...)	 OP_##name##64_k, OP_##name##64_x, OP_##name##32_k, OP_##name##32_x,
#define JUMP(name, ...)	 OP_##name##64_k, OP_##name##64_x, OP_##name##32_k, OP_##name##32_x,
#define UNARY(name, ...) OP_##name,
#define LOAD(name, ...)	 OP_##name,
#define STORE(bits, ...) OP_stx##bits, OP_st##bits,
#define ATOMIC(name, ...) \
	OP_##name##_mem64, OP_##name##_mem32, OP_fetch_##name##64, OP_fetch_##name##32,
#define CONTROL(name) OP_##name,
#include "run/ops.def"
	CODE_OPS,
};

struct code_insn {
	const void *handler; /* label in the fast build */
	union {
		s64 imm;
		struct {
			s32 operand; /* a jump's second operand */
			s32 jump;    /* bytes from this instruction to the target */
		};
	};
	s16 off;
	u8 dst, src;
	u16 op; /* enum code_op */
};

/* How OP_masked_add and OP_masked_sub know their offset (struct offset_mask). */
enum masked {
	MASKED_DST = 1 << 0, /* it is in dst */
	MASKED_NEGATIVE = 1 << 1,
	MASKED_CONSTANT = 1 << 2,
};

/* The offset, or 0 where it is beyond the limit; without a branch that could be guessed. */
static inline u64 offset_masked(u64 offset, s64 limit, s16 how)
{
	u64 sign = how & MASKED_NEGATIVE ? -1ull : 0;
	u64 distance = (offset ^ sign) - sign;

	if (how & MASKED_CONSTANT)
		distance = (u64)limit;
	else
		distance &= ~(u64)((s64)(((u64)limit - distance) | distance) >> 63);
	return (distance ^ sign) - sign;
}

struct checker;
struct prog_types; /* run/run.h */

struct prog_code {
	struct arena arena; /* owns everything below */
	struct code_insn *insns;
	u32 insn_cnt;
	const struct verified *verified; /* whose facts hold; NULL: nothing is proven, only the
					    checked build may run it */
	enum bpf_prog_type type;
	const struct code_insn *exception; /* callback of bpf_throw(); NULL: what was thrown is
					      the program's result */
	struct own_types *types;	   /* owned; NULL: the program has no BTF */
	/* What runs instead of each subprogram (extension.h); NULL: none can be replaced. */
	const struct prog **extensions;
	u32 *frame_bytes; /* per instruction: the stack frame of the subprogram it is in */
};

/* Where a local call returns to. */
struct frame {
	const struct code_insn *ret;
	const struct prog_code *code; /* a tail call of the callee leaves its program behind */
	const struct prog *prog;
	u64 saved[4]; /* r6 .. r9 */
	u64 fp;
};

/* Frames that call one another within one program, those of a program that runs instead of one
 * of its functions, and all that tail calls can leave below. */
#define FRAMES_PER_PROG 8
#define FRAMES_MAX	(FRAMES_PER_PROG * (TAIL_CALLS_MAX + 2))
/* A subprogram that makes a tail call has at most 256 bytes of stack above it. */
#define STACK_BYTES	512
#define STACK_BYTES_MAX (2 * STACK_BYTES + TAIL_CALLS_MAX * 256)

/* How often all may_goto of a run together may be passed: Linux's BPF_MAX_LOOPS. */
#define MAY_GOTO_BUDGET (8 * 1024 * 1024)

struct executor {
	struct run_context *run;
	const struct prog_code *code;
	struct frame *frame; /* next free one, while a helper may call back */
	u64 fp;		     /* frame pointer of what the helper calls back */
	u32 may_goto_left;
	s64 fuel;		 /* what is left of it; below 0: the run has to end */
	void *native_sp;	 /* where the machine code that runs was entered */
	struct checker *checker; /* NULL in the fast build */
	/* Whose function was replaced last: its memory may be an argument. NULL: none. */
	const struct prog *extended;
	struct frame frames[FRAMES_MAX];
	_Alignas(16) u8 stack[STACK_BYTES_MAX];
};

/* Whether runs of the code are limited. */
static inline bool code_has_fuel(const struct prog_code *code)
{
	return code->verified && code->verified->flags & VERIFY_FUEL;
}

/* How many instructions the loop has that begins at the instruction, when runs are limited; 0:
 * none does. */
static inline u32 code_round(const struct prog_code *code, u64 at)
{
	return code_has_fuel(code) ? code->verified->rounds[at] : 0;
}

/* Of a function of the program, in instructions. */
static inline u32 code_length(const struct prog_code *code, u32 subprog)
{
	const struct subprog *callee = &code->verified->subprogs[subprog];

	return callee->end - callee->start;
}

/* Something is held at the call: no run stops there. */
static inline bool code_holds(const struct prog_code *code, const struct code_insn *pc)
{
	return code->verified && code->verified->facts[pc - code->insns].holds;
}

/* Turns a verified program into code; -ENOMEM, -EINVAL (a helper without a body), -ENOTSUP. */
int code_build(const struct verified *verified, const struct prog_types *types,
	       struct prog_code **out, struct skep_error *err);

/* Instructions of which nothing is proven but that they are well formed. */
struct unproven {
	const struct bpf_insn *insns;
	u32 count;
	helper_fn *(*helper)(u32 id); /* the functions that calls name; NULL: refused */
	/* Loads through this register are of the context of this type (0: there is none):
	 * where converted classic programs keep theirs. */
	enum bpf_prog_type type;
	u8 ctx_register;
};

/*
 * Code that only the checked build may run: it needs no proof. -EINVAL when the instructions
 * are not well formed.
 */
int code_build_unproven(const struct unproven *input, struct prog_code **out,
			struct skep_error *err);
void code_free(struct prog_code *code);
/* Whether speculation must end before the instruction. */
bool code_needs_barrier(const struct prog_code *code, u32 at);

/* Gives the instructions the handlers of the fast build, fused where a fused one exists. */
void code_bind(struct prog_code *code);

/*
 * Runs from `pc` with r1-r5 = args and r10 = fp until the frame that starts there exits;
 * returns r0. Everything else it needs is in `exec`.
 */
u64 interpret_fast(struct executor *exec, const struct code_insn *pc, u64 fp,
		   const u64 args[5]);
/* The same as interpret_fast(), for code whose runs are limited; 1 when it stopped the run. */
u64 interpret_fuel(struct executor *exec, const struct code_insn *pc, u64 fp,
		   const u64 args[5]);
u64 interpret_checked(struct executor *exec, const struct code_insn *pc, u64 fp,
		      const u64 args[5]);

/* A run of `code` from its start: exec->checker, set in between, chooses the checked build. */
void executor_start(struct executor *exec, const struct prog_code *code,
		    struct run_context *run);
u64 executor_run(struct executor *exec, const u64 args[5]);
/* The same from `pc`, with the frame pointer exec->fp. */
u64 executor_call(struct executor *exec, const struct code_insn *pc, const u64 args[5]);

/* The fast build's labels: of each enum code_op, then of each enum fused_op (fused.h). */
const void *const *interpret_fast_handlers(void);
/* Likewise, without the fused ones. */
const void *const *interpret_fuel_handlers(void);

/* LD_ABS and LD_IND: false when the packet has no such bytes; else their value, host order. */
bool packet_load(const struct run_context *run, const void *ctx, s32 offset, u32 bytes,
		 u64 *out);
/* A load that may fault and then gives 0. */
u64 probe_load(u64 address, s32 bytes); /* bytes below 0: sign-extended */

/* The program that a tail call goes to, NULL when there is none or the limit is reached. */
const struct prog *tail_call_target(struct run_context *run, u64 map, u64 index);
const struct prog_code *prog_code_of(const struct prog *prog);

#endif
