/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shape of a program before anything is known of its values: where its subprograms are,
 * where control may go, which instructions start a loop. Instructions are those that the loader
 * passed; nothing here relies on insns_check() having accepted them.
 */
#ifndef SKEP_VERIFY_CFG_H
#define SKEP_VERIFY_CFG_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "catalog/host.h"
#include "verify/verify.h"

#define SUBPROGS_MAX	256
#define CALL_DEPTH_MAX	8
#define STACK_DEPTH_MAX 512
#define FRAME_ROUND	16
#define OWN_STACK_MIN	64 /* bytes of a frame that may have a stack of its own */
/* Bytes that the callers of a subprogram with a tail call may use, itself not included. */
#define TAIL_CALL_STACK_MAX 256

enum cfg_flags {
	CFG_JUMP_TARGET = 1 << 0, /* some jump goes here */
	CFG_PRUNE_POINT = 1 << 1, /* a state may be kept here, to prune later paths with */
	/* A state must be kept here: how often the path comes back is not known (may_goto,
	 * helpers that call back). */
	CFG_FORCE_CHECKPOINT = 1 << 2,
	CFG_LOOP_HEAD = 1 << 3,	  /* target of an edge backwards in the walk from the entry */
	CFG_CALLS_BACK = 1 << 4,  /* call of a helper that calls a function of the program */
	CFG_SECOND_HALF = 1 << 5, /* of ld_imm64: no instruction */
	CFG_ENTRY = 1 << 6,	  /* a subprogram starts here */
	CFG_BLOCK_START = 1 << 7,
};

/* Instructions that are entered at the first and left at the last only. */
struct cfg_block {
	u32 first, last;
};

struct cfg {
	const struct bpf_insn *insns;
	u32 insn_cnt;
	u8 *flags;	 /* insn_cnt: enum cfg_flags */
	u16 *subprog_of; /* insn_cnt: index of the subprogram that the instruction is in */
	u32 subprog_cnt;
	struct subprog *subprogs; /* by start; [0] starts at 0 */
	u32 exception_callback;	  /* the subprogram; 0: there is none */
	u32 *calls, call_cnt;	  /* calls of all kinds and addresses of functions, in order */
	/* Blocks of each subprogram, every one after all that it can lead to (edges backwards
	 * aside): subprogram s has [postorder_start[s], postorder_start[s + 1]). */
	struct cfg_block *postorder;
	u32 *postorder_start;
};

/*
 * Finds the subprograms and checks that each is closed: jumps stay inside, the last instruction
 * does not fall through. `cfg` points into `arena`. 0 or a negative errno with `err` and the
 * lines in `log` (may be NULL) that Linux gives.
 */
int cfg_find_subprogs(const struct verify_input *input, struct arena *arena, struct cfg *cfg,
		      struct skep_error *err);

/*
 * Follows every edge: each instruction must be reached, and no jump may go into the middle of
 * ld_imm64, or, when `may_loop` is false, backwards. Fills in flags and postorder.
 */
int cfg_check_edges(struct cfg *cfg, bool may_loop, struct arena *arena, struct strbuf *log,
		    struct skep_error *err);

/* Index of the subprogram that starts at `insn`, -1: none does, or they were not found. */
s32 cfg_subprog_at(const struct cfg *cfg, u32 insn);

/* As cfg_successors(), of jumps, calls and exits. */
u32 cfg_jump_successors(const struct cfg *cfg, u32 insn, u32 successors[2]);

/* Where an instruction leads to. 0 to 2 successors inside the subprogram, which does not end
 * with anything but a jump. */
static inline u32 cfg_successors(const struct cfg *cfg, u32 insn, u32 successors[2])
{
	u8 code = cfg->insns[insn].code, class = BPF_CLASS(code);

	if (class == BPF_JMP || class == BPF_JMP32)
		return cfg_jump_successors(cfg, insn, successors);
	successors[0] = insn + (code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1);
	return successors[0] < cfg->insn_cnt;
}

/* The instruction before another of the same block. */
static inline u32 cfg_before(const struct cfg *cfg, u32 insn)
{
	return insn - (cfg->flags[insn - 1] & CFG_SECOND_HALF ? 2 : 1);
}

/* The first of the calls at or behind an instruction: index in cfg->calls. */
u32 cfg_call_from(const struct cfg *cfg, u32 insn);

/* A call of a subprogram; *target is the instruction that it calls. */
static inline bool insn_is_subprog_call(const struct bpf_insn *insn, u32 at, s64 *target)
{
	if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg != BPF_PSEUDO_CALL)
		return false;
	*target = (s64)at + insn->imm + 1;
	return true;
}

/* A call of a function of the kernel, or of a host's helper, which has a prototype like them.
 */
static inline bool insn_is_kfunc_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) &&
	       (insn->src_reg == BPF_PSEUDO_KFUNC_CALL || insn_is_host_helper(insn));
}

/* The address of a subprogram (ld_imm64 with BPF_PSEUDO_FUNC). */
static inline bool insn_is_subprog_address(const struct bpf_insn *insn, u32 at, s64 *target)
{
	if (insn->code != (BPF_LD | BPF_IMM | BPF_DW) || insn->src_reg != BPF_PSEUDO_FUNC)
		return false;
	*target = (s64)at + insn->imm + 1;
	return true;
}

/*
 * The call chains' use of the stack, dead code included, once each subprogram's `stack_depth`
 * is known. *deepest: the largest sum, each frame rounded up to FRAME_ROUND bytes; above
 * STACK_DEPTH_MAX only where frames have stacks of their own.
 */
int cfg_check_stack_depth(const struct cfg *cfg, const struct verify_input *input,
			  struct skep_error *err, u32 *deepest);

#endif
