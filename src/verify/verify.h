/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's door: a program goes in, a verified program with its facts comes out, or a
 * reason. Instructions are not rewritten: what an executor must know to run one (which context
 * field, which map, which callee, whether it is dead) is a fact beside it.
 */
#ifndef SKEP_VERIFY_VERIFY_H
#define SKEP_VERIFY_VERIFY_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "catalog/helper.h"
#include "catalog/map_desc.h"
#include "catalog/prog.h"
#include "verify/scalar.h"
#include <skep/error.h>

struct btf_view;
struct host;
struct kfunc;

enum verify_flags {
	VERIFY_STRICT_ALIGNMENT = 1 << 0,
	VERIFY_ANY_ALIGNMENT = 1 << 1,
	VERIFY_STATE_FREQ = 1 << 2, /* save a state at every chance (tests pruning) */
	VERIFY_SLEEPABLE = 1 << 3,
	VERIFY_RND_HI32 = 1 << 4,
	VERIFY_XDP_FRAGS = 1 << 5,
	VERIFY_FUEL = 1 << 7,	   /* runs are limited: they must be able to be stopped */
	VERIFY_DEVICE_BOUND = 1 << 8, /* runs natively at one device only */
	VERIFY_REG_FACTS = 1 << 6, /* keep facts of every register at every instruction */
};

/* log_level bits of bpf(2). */
enum { VERIFY_LOG_PATH = 1, VERIFY_LOG_STATES = 2, VERIFY_LOG_STATS = 4 };

struct explanation; /* verify/explain.h */

#define VERIFY_MEMORY  (256ull << 20)
#define VERIFY_TIME_NS 60000000000ull

/* A program of which another one replaces a function (BPF_PROG_TYPE_EXT). */
struct verify_target {
	const struct verified *verified; /* it is no extension itself */
	const struct btf_view *btf;	 /* NULL: none */
	const struct bpf_func_info *func_info; /* one of each subprogram, or none */
	u32 func_info_cnt;
	u32 attach_btf_id; /* what it attaches to itself */
};

struct verify_input {
	/* As the loader passed them, pseudo operands unresolved; they live as long as the
	 * verified program. */
	const struct bpf_insn *insns;
	u32 insn_cnt;
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	u32 flags;  /* enum verify_flags */
	u32 rights; /* enum skep_rights of the loader; none: the rules for the unprivileged */
	bool gpl;
	const char *name;

	/* Resolves BPF_PSEUDO_MAP_FD and _IDX; the caller keeps what it returns alive and
	 * learns from verified->maps which were used. NULL and a negative errno in *err. */
	const struct map_desc *(*map_by_fd)(void *cookie, int fd, bool is_index, int *err);
	void *cookie;
	/* The types of the kernel that the program is for, asked for when it names some; they
	 * live as long as the verified program. NULL: there are none. */
	const struct btf_view *(*kernel_btf)(void *cookie);
	/* What the application offers; its types are in kernel_btf, too. NULL: nothing. */
	const struct host *host;
	/* Whether the descriptor at this place of the loader's fd_array is the host's module: 0
	 * or a negative errno. NULL: there are no modules. */
	int (*prove_module)(void *cookie, u32 index);
	/* Whether the engine has a body for the helper; NULL: all are there. */
	bool (*has_helper)(u32 id);
	/* The same for kernel functions, by name. */
	bool (*has_kfunc)(const char *name);

	const struct btf_view *btf;	   /* NULL: none */
	const void *func_info, *line_info; /* records as passed; sizes below */
	u32 func_info_cnt, func_info_rec_size, line_info_cnt, line_info_rec_size;
	u32 attach_btf_id;
	const struct verify_target *target; /* which has the type attach_btf_id; NULL: none */

	/* Where to put an explanation of the verdict, which is freed with explanation_free()
	 * (NULL there: out of memory). NULL: none is made. */
	struct explanation **explanation;

	/* What one verification may use up before it is given up; 0: the defaults. */
	struct verify_budget {
		u64 insns;   /* processed; default: Linux's 1,000,000 */
		u64 memory;  /* bytes; default: VERIFY_MEMORY */
		u64 time_ns; /* of the thread's processor time; default: VERIFY_TIME_NS */
	} budget;

	u32 log_level;
	struct strbuf *log; /* kernel-style log; NULL when log_level is 0 */
};

enum mem_kind {
	MEM_NONE, /* not a memory access */
	MEM_STACK,
	MEM_CTX,
	MEM_MAP_VALUE,
	MEM_PACKET, /* packet and packet metadata */
	MEM_BUFFER, /* tracing buffers, flow keys */
	MEM_SOCK,
	MEM_HELPER, /* memory that a helper returned or a caller gave, wherever it is */
	MEM_BTF,    /* a load that may fault and then gives 0 */
	MEM_ARENA,  /* an address in the arena, of which the low 32 bits count */
	MEM_KERNEL, /* a structure that only a kernel has: such a program runs nowhere else */
	MEM_MIXED,  /* different kinds on different paths (all plain memory) */
};

/*
 * How an addition of a register to a pointer is kept in bounds where the CPU speculates. The
 * offset counts as 0 unless it is 0 to `limit` (is_negative: 0 to -limit); is_constant: it is
 * just that on every path. A run that does not speculate has no other offsets.
 */
struct offset_mask {
	u8 kind; /* enum mask_kind */
	bool is_negative, is_constant;
	u32 limit;
};

enum mask_kind {
	MASK_NONE,
	MASK_NUMBERS, /* no pointer is part of the sum: nothing to mask */
	MASK_SRC,     /* the offset is in src, the pointer in dst */
	MASK_DST,     /* the other way round */
};

/* What else there is to say of an instruction: which of the union in struct insn_fact. */
enum fact_operand {
	OPERAND_NONE,
	OPERAND_CTX,   /* MEM_CTX on a context that is converted: the field */
	OPERAND_MAP,   /* ld_imm64: the map that it names or points into; call: its map argument
			  when always the same; memory: the map of the value */
	OPERAND_KFUNC, /* call of a kernel function */
	OPERAND_MASK,  /* addition to a pointer */
	OPERAND_IMM64, /* the second half of ld_imm64 */
};

#define FACT_VARIES (-2)

/*
 * What is known of one instruction, joined over all visits. There is one for each of up to a
 * million instructions: it is small, and what few instructions have shares its place, to be
 * read with insn_fact_ctx() and its like.
 */
struct insn_fact {
	bool visited : 1;			/* false: dead code */
	bool never_taken : 1, always_taken : 1; /* a conditional jump */
	/* Speculation ends before, or behind it (loaders without CAP_PERFMON). */
	bool barrier_before : 1, barrier_after : 1;
	bool holds : 1; /* call of a subprogram: a run cannot be stopped there */
	u8 mem;		/* enum mem_kind of the memory operand */
	u8 operand;	/* enum fact_operand */
	/* call of a subprogram, function address: index in subprogs; -1. Call of a kernel
	 * function that puts a node into a list or tree: where the object has it, or
	 * FACT_VARIES. */
	s16 callee;
	union {
		const struct ctx_field *ctx;
		const struct map_desc *map;
		const struct kfunc *kfunc;
		struct offset_mask mask;
		u64 imm64;
	};
};

/* NULL: there is none. */
static inline const struct ctx_field *insn_fact_ctx(const struct insn_fact *fact)
{
	return fact->operand == OPERAND_CTX ? fact->ctx : NULL;
}

static inline const struct map_desc *insn_fact_map(const struct insn_fact *fact)
{
	return fact->operand == OPERAND_MAP ? fact->map : NULL;
}

static inline const struct kfunc *insn_fact_kfunc(const struct insn_fact *fact)
{
	return fact->operand == OPERAND_KFUNC ? fact->kfunc : NULL;
}

/* MASK_NONE: nothing to mask. */
static inline struct offset_mask insn_fact_mask(const struct insn_fact *fact)
{
	return fact->operand == OPERAND_MASK ? fact->mask : (struct offset_mask){0};
}

/* Of ld_imm64: the resolved 64-bit operand (address, constant). */
static inline u64 insn_fact_imm64(const struct insn_fact *fact)
{
	return fact[1].operand == OPERAND_IMM64 ? fact[1].imm64 : 0;
}

static inline void insn_fact_set_map(struct insn_fact *fact, const struct map_desc *map)
{
	fact->operand = map ? OPERAND_MAP : OPERAND_NONE;
	fact->map = map;
}

static inline void insn_fact_set_mask(struct insn_fact *fact, struct offset_mask mask)
{
	fact->operand = OPERAND_MASK;
	fact->mask = mask;
}

static inline void insn_fact_set_imm64(struct insn_fact *fact, u64 imm64)
{
	fact[1].operand = OPERAND_IMM64;
	fact[1].imm64 = imm64;
}

enum reg_fact_kind {
	REG_FACT_UNKNOWN, /* not initialised, or different kinds on different paths */
	REG_FACT_SCALAR,
	REG_FACT_STACK,
	REG_FACT_CTX,
	REG_FACT_MAP_VALUE, /* non-null: base + range */
	REG_FACT_PACKET,
	REG_FACT_OTHER,
};

struct reg_fact {
	u8 kind; /* enum reg_fact_kind */
	bool may_be_null;
	const struct map_desc *map; /* REG_FACT_MAP_VALUE */
	struct scalar number;	    /* the value, or the offset from the pointer's base */
};

struct subprog {
	u32 start, end;	  /* instructions [start, end) */
	u32 stack_depth;  /* bytes of its own frame, rounded up to 8 */
	const char *name; /* from func_info; NULL */
	bool is_callback, is_global, is_reachable;
	bool is_async; /* a callback that runs later, on a stack of its own (timers) */
	bool has_tail_call, has_ld_abs, has_loop;
	bool is_exception_callback;
	bool changes_packet, sleeps; /* it or what it calls, by its text */
	bool throws; /* calls bpf_throw(), at `throws_at` first */
	u32 throws_at;
};

struct verify_stats {
	u32 insns_processed, total_states, peak_states, max_states_per_insn, mark_read;
	u64 time_ns;
};

struct verified {
	struct arena arena;	      /* owns everything below but the instructions */
	const struct bpf_insn *insns; /* those of the input */
	u32 insn_cnt;
	/* Whose context it gets: an extension's is that of its target. */
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	bool is_extension; /* loaded as BPF_PROG_TYPE_EXT */
	u32 flags;
	struct insn_fact *facts;	      /* insn_cnt */
	struct reg_fact (*regs)[MAX_BPF_REG]; /* before each instruction; NULL: not asked for */
	/* Of each loop's first instruction: how many it has; elsewhere 0. NULL unless runs are
	 * limited. */
	u32 *rounds;
	struct subprog *subprogs;	      /* [0] is the program itself */
	u32 subprog_cnt;
	u32 stack_depth;	      /* deepest sum over a chain of calls */
	const struct map_desc **maps; /* each used map once, in order of first mention */
	u32 map_cnt;
	/* Where the last access ends to what an iterator lends: bytes that are written too, or
	 * only read. */
	u32 buffer_end[2];
	bool changes_packet, has_tail_call;
	struct verify_stats stats;
};

/*
 * 0 and the verified program (free with verified_free()), or a negative errno with `err` filled
 * in (err->reason: id of the row in reasons.def) and *out untouched. -ENOMEM is not a verdict.
 */
int verify_program(const struct verify_input *input, struct verified **out,
		   struct skep_error *err);
void verified_free(struct verified *verified);

/* What others see of an explanation, and back. */
struct skep_explanation *explanation_face(struct explanation *explanation);
struct explanation *explanation_of_face(struct skep_explanation *face);
void explanation_free(struct explanation *explanation);

/* The stages of `skep inspect`: "insns", "cfg", "facts". 0 or -EINVAL for an unknown stage. */
int verified_print(const struct verified *verified, const char *stage, struct strbuf *out);

#endif
