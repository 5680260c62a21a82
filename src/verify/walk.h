/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One verification under way, and the steps that an instruction goes through:
 *
 *	prove_*()     each requirement of the instruction is shown, or the program rejected
 *	transfer_*()  the state becomes that after the instruction
 *	walk_*()      where to go next: branches kept for later, states kept for pruning
 *
 * Every function that may reject returns 0 or a negative errno, after reject() said why.
 */
#ifndef SKEP_VERIFY_WALK_H
#define SKEP_VERIFY_WALK_H

#include "verify/cfg.h"
#include "verify/liveness.h"
#include "verify/reason.h"
#include "verify/requirement.h"
#include "verify/scalar_memo.h"
#include "verify/state.h"
#include "verify/verify.h"

#define INSNS_PROCESSED_MAX  1000000
#define BUDGET_EVERY	     1024 /* instructions: how often memory and time are looked at */
#define INSNS_UNPRIVILEGED   4096
#define KFUNCS_MAX	     256       /* kernel functions that one program calls */
#define POINTER_OFFSET_LIMIT (1 << 29) /* offsets of pointers stay below, either way */

/* What the loader's rights allow. */
struct rules {
	bool may_loop;	      /* bounded loops, subprograms, all that needs CAP_BPF */
	bool may_leak;	      /* pointers may be seen by user space */
	bool may_read_uninit; /* stack bytes never written */
	bool may_speculate;   /* no guard against speculation is needed */
	bool strict_alignment;
};

/* What a load through a context or an object gives. */
struct loaded {
	u8 kind;     /* enum reg_kind */
	u16 flags;   /* enum reg_flags */
	u32 type_id; /* REG_BTF: in `btf` */
	u32 ref_id;
	u32 mem_size; /* REG_MEM */
	const struct btf_view *btf;
};

/* The memory access that the last NEED_MEMORY (or memory argument) was shown to be. */
struct access {
	u8 kind;       /* enum access_kind */
	u8 object;     /* enum reg_kind: what is accessed */
	bool is_fixed; /* the offset is one constant */
	s64 low, high; /* offset of the first byte: smallest, largest; from the object's base */
	u32 size;
	u32 frame;		       /* REG_STACK */
	const struct ctx_field *field; /* REG_CTX */
	struct loaded loaded;	       /* REG_CTX, REG_BTF, REG_MAP */
};

/* What the arguments of the helper call under way were found to be (arguments.c). */
struct call {
	const struct map_desc *map;
	u32 map_uid;	  /* which of the inner maps it is; 0: no inner map */
	u32 ref_id;	  /* reference of an argument; 0: none has one */
	u32 released_ref; /* reference that the helper takes back */
	u64 memory_size;  /* ARG_CONST_ALLOC_SIZE: of what it returns */
	u64 size_max;	  /* largest size of a memory argument */
	u32 callback;	  /* index of the subprogram that it calls, when calls_back */
	bool calls_back;
	bool is_memory_read_only; /* what the kernel function returns */
	/* Stack memory that the helper writes to. */
	u32 raw_cnt;
	struct access raw[HELPER_ARGS];
	struct reg_state dynptr;     /* that an argument is */
	struct stack_slot *iterator; /* whose next element was asked for; NULL */
	struct reg_state per_cpu;    /* ARG_PERCPU_BTF_ID */
	/* The type of an own object that is asked for or that an argument has. */
	const struct btf_view *object_btf;
	u32 object_type;
	bool is_owned; /* the object whose reference is counted: it is not just borrowed */
	const struct btf_field *field; /* the list, tree or pointer that an argument is */
	u64 key;		       /* constant key of an array; has_key */
	bool has_key;
};

/* The sum of a pointer and a register under way (speculation.c). */
struct mask_under_way {
	struct offset_mask mask; /* kind MASK_NONE: none is needed */
	bool to_left;		 /* towards the start of the object */
	bool is_simulated;	 /* speculation may mask it to 0 */
};

/* What a program attaches to by its BTF (attach.c). */
struct attach {
	const struct btf_view *btf;   /* NULL: programs of this type attach otherwise */
	const char *name;	      /* of the function, the event or the member */
	const struct btf_type *proto; /* the context's arguments, and what may be returned */
	u32 skipped;		      /* first arguments that the program does not get */
	const struct struct_ops_row *ops; /* struct_ops: of the structure */
	const struct btf_type *stub; /* of the kernel's own function for the member; NULL */
	const struct host_hook *host_hook; /* NULL: it is none of the host's */
	u64 refs;   /* bit n: argument n is a reference that the program must give back */
	u32 ref_id; /* of the first of them; the others follow */
};

/* A place on the path: behind `length` steps, at this position of the list (path.h). */
struct path_mark {
	u32 length, position;
};

/* A path that was put off. */
struct pending {
	struct pending *older;
	u32 insn, prev;
	bool takes_branch; /* insn is a conditional jump: it goes on with the jump taken */
	struct path_mark mark;
	u32 open_rounds;
	size_t log_length;
	struct packed_state *state;
	const struct checkpoint *round; /* that did not cover it after all; NULL: none */
};

struct own_type;
struct prune;
struct globals;
struct prototype;
struct path;
struct cycles;
struct fact_notes;

/* The last instruction in the log (trace.c). */
struct trace {
	u32 insn;
	bool is_told;	    /* what it changed is printed */
	u32 frame_cnt;	    /* when it was printed; 0: a path starts */
	size_t line_length; /* of its line */
	size_t line_end;    /* of the log after it */
	const char *file;   /* the source line printed last; NULL: none */
	u32 line_number;
};

/* What was rejected. */
struct failure {
	enum reason reason; /* REASONS: nothing, or not by reject() */
	bool has_need;	    /* an instruction's requirement */
	struct requirement need;
};

struct watch;

struct walk {
	const struct verify_input *input; /* as given, or `as_target` */
	struct verify_input as_target;	  /* of an extension: with the types of its target */
	const struct prog_row *row;
	struct rules rules;
	struct skep_error *err;
	struct verified *out;
	struct arena scratch; /* lives as long as the walk */
	struct arena order;   /* of cfg.postorder: until the walk begins */

	const struct bpf_insn *insns;
	u32 insn_cnt;
	struct cfg cfg;
	struct liveness liveness;
	struct own_type *own_types;		/* own.c */
	const struct kfunc *kfuncs[KFUNCS_MAX]; /* each that the program names, once */
	u32 kfunc_cnt;
	const struct btf_view *kernel; /* walk_kernel(): asked for once */
	bool has_asked_kernel;

	/* where the walk is */
	u32 at, prev;
	u32 next; /* set by the transfer of jumps, calls and exits */
	bool path_ends;
	bool is_revisit;		/* the instruction was walked over before */
	bool is_quick;			/* quick_step() may be tried */
	const struct requirement *need; /* the one being shown; NULL */
	struct access access;
	struct mask_under_way mask;
	struct call call;

	bool compares_exactly;	 /* states: what differs in any number is different */
	bool is_patient;	 /* what decided something is forgotten late: widen.c */
	bool forgets;		 /* it was forgotten */
	u32 id_cnt;		 /* ids given out */
	u32 open_rounds;	 /* rounds on this path of loops that end some day */
	struct pending *pending; /* the last that was put off */
	struct pending *unused_pending;
	u32 pending_cnt;
	struct prune *prune;
	struct path *path;
	struct cycles *cycles;
	struct fact_notes *notes;
	struct attach attach;
	struct globals *globals;
	struct prototype **prototypes; /* of each subprogram; NULL: not looked up */

	u32 log_level;
	struct strbuf *log;
	struct trace trace;
	u64 insns_processed, jumps_processed, put_off_cnt;
	struct verify_budget budget; /* with the defaults */
	u64 started;		     /* by the thread's clock */
	struct verify_stats stats;
	struct failure failure;
	struct watch *watch; /* watch.c; NULL: nobody watches */

	/* The large ones, which have their own inits, come last. */
	struct scalar_memo memo;
	struct state_pool pool;
	struct state state; /* before the instruction */
};

static inline u32 walk_new_id(struct walk *walk)
{
	return ++walk->id_cnt;
}

/* Before a number is copied: equal numbers have one id, so that what is learnt of one holds for
 * the other. As in Linux, one that was at a distance from others starts anew. */
static inline void walk_link_number(struct walk *walk, struct reg_state *reg)
{
	if (reg->off || reg->flags & REG_LOW_LINK)
		reg_unlink(reg);
	if (!reg->id && !scalar_is_const(&reg->number))
		reg->id = walk_new_id(walk);
}

/* Arithmetic on numbers. What is done for the first time was hardly done before. */
static inline void walk_alu(struct walk *walk, const struct bpf_insn *insn, struct scalar *dst,
			    const struct scalar *src)
{
	u8 op = BPF_OP(insn->code);
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;

	if (walk->is_revisit)
		scalar_alu_memo(&walk->memo, dst, src, op, is32, insn->off);
	else
		scalar_alu(dst, src, op, is32, insn->off);
}

static inline const struct bpf_insn *walk_insn(const struct walk *walk)
{
	return &walk->insns[walk->at];
}

static inline struct reg_state *walk_reg(struct walk *walk, u32 reg)
{
	return state_reg(&walk->state, reg);
}

/* The kernel's types (kernel.c). NULL: there are none. */
const struct btf_view *walk_kernel(struct walk *walk);
/* The structure of this name; 0: there is none. */
u32 walk_kernel_struct(struct walk *walk, const char *name);

/* The arena that the program uses; NULL: none. */
static inline const struct map_desc *walk_arena(const struct walk *walk)
{
	for (u32 i = 0; i < walk->out->map_cnt; i++)
		if (walk->out->maps[i]->type == BPF_MAP_TYPE_ARENA)
			return walk->out->maps[i];
	return NULL;
}

/* The program may sleep, sections aside. */
static inline bool walk_may_sleep(const struct walk *walk)
{
	switch (walk->state.frames[0].callback) {
	case CALLBACK_LATER: return false;
	case CALLBACK_WORK:
	case CALLBACK_TASK: return true;
	default: return walk->input->flags & VERIFY_SLEEPABLE;
	}
}

/* Holds a pointer, and the loader may not see pointers. */
static inline bool walk_hides_pointer(const struct walk *walk, const struct reg_state *reg)
{
	return !walk->rules.may_leak && reg_is_pointer(reg);
}

/* --- one verification (verify.c) --- */
struct walk *walk_new(const struct verify_input *input, struct skep_error *err);
/* All stages. 0 or a negative errno; walk->out is the caller's to free either way. */
int walk_run(struct walk *walk);
void walk_free(struct walk *walk);

/* --- rejection: reject(walk, ID, message arguments...) --- */
int walk_reject(struct walk *walk, enum reason reason, ...);
#define reject(walk, ID, ...)                           \
	(reason_check(REASON_TEXT_##ID, ##__VA_ARGS__), \
	 walk_reject(walk, REASON_##ID, ##__VA_ARGS__))

/* Whatever is reckoned with an address in the arena is one: its low half is all that counts. */
static inline bool walk_is_arena_math(struct walk *walk, const struct bpf_insn *insn)
{
	return walk_reg(walk, insn->dst_reg)->kind == REG_ARENA ||
	       (BPF_SRC(insn->code) == BPF_X &&
		walk_reg(walk, insn->src_reg)->kind == REG_ARENA);
}

/* --- proving (prove.c; memory.c, stack.c, context.c, calls.c) --- */
int prove_requirement(struct walk *walk, const struct requirement *need);
int prove_memory(struct walk *walk, const struct requirement *need);
int prove_operands(struct walk *walk, const struct bpf_insn *insn);
/* The pointer's (or number's) offset is far from overflow; `kind_of`: the pointer it is for. */
int prove_pointer_sane(struct walk *walk, const struct reg_state *reg,
		       const struct reg_state *kind_of);
int prove_helper(struct walk *walk, const struct requirement *need);
int prove_argument(struct walk *walk, const struct requirement *need);
int prove_agreement(struct walk *walk, const struct requirement *need);
int prove_packet_load(struct walk *walk);
int prove_callee(struct walk *walk);
int prove_released(struct walk *walk);
/* What is thrown (r1) may be the result of the program. */
int prove_cookie(struct walk *walk);
int prove_result(struct walk *walk);

/* --- moving the state (transfer*.c) --- */
int transfer(struct walk *walk);
int transfer_alu(struct walk *walk, const struct bpf_insn *insn);
int transfer_pointer_alu(struct walk *walk, const struct bpf_insn *insn);
/* Behind arithmetic on a number: x + constant and x - constant stay linked to x's copies, at a
 * distance. `umax`: of what dst was. */
void transfer_link(struct reg_state *dst, const struct bpf_insn *insn, u64 umax,
		   const struct scalar *amount);
int transfer_load(struct walk *walk, const struct bpf_insn *insn);
int transfer_store(struct walk *walk, const struct bpf_insn *insn);
int transfer_atomic(struct walk *walk, const struct bpf_insn *insn);
int transfer_wide(struct walk *walk, const struct bpf_insn *insn);
int transfer_branch(struct walk *walk, const struct bpf_insn *insn);
/* Goes on with the jump taken. False: that cannot happen. */
bool transfer_branch_taken(struct walk *walk);
int transfer_helper(struct walk *walk, const struct bpf_insn *insn);
void transfer_subprog_call(struct walk *walk);
int transfer_exit(struct walk *walk);
int transfer_packet_load(struct walk *walk, const struct bpf_insn *insn);
/* A tail call and a load behind the packet's end leave a subprogram at once: its caller goes on
 * with `result` and the stack as it is here. Nothing to do in the main program. */
int subprogram_may_end(struct walk *walk, struct scalar result);

/* --- where to go (walk.c) --- */
int walk_program(struct walk *walk);
/* Puts the state aside while it is changed into that of a path which is put off. NULL: out of
 * memory. */
struct packed_state *walk_save(struct walk *walk);
/* The state is what it was, and `saved` is gone. */
void walk_restore(struct walk *walk, struct packed_state *saved);
/* Keeps the state, to be walked from `insn` later: before it, or with its branch taken. */
int walk_put_off(struct walk *walk, u32 insn, bool takes_branch);
/* The same for a path that is not yet to be walked. */
int walk_set_aside(struct walk *walk, u32 insn, struct pending *out);
/* That is to be walked now; takes its state. */
int walk_take_up_again(struct walk *walk, const struct pending *path);
/* As walk_put_off(), for one more round of a loop that ends some day. */
int walk_put_off_round(struct walk *walk, u32 insn);
/* What is alive in each frame before `insn` of the top frame. */
void walk_live_set(const struct walk *walk, const struct state *state, u32 insn,
		   struct live_set *out);

#endif
