/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs at the edge of what a verifier accepts. The same seed gives the same program.
 *
 * r6 holds the context, r8 a map value, r10 the frame; the other registers hold numbers between
 * the steps that a program consists of. Memory is touched at offsets and with lengths that were
 * bounded before: rightly, by one too many, or not at all. What is opened is closed: mostly.
 */
#ifndef SKEP_FUZZ_GENERATE_H
#define SKEP_FUZZ_GENERATE_H

#include "base/types.h"
#include "catalog/uapi.h"
#include "fuzz/random.h"
#include "fuzz/types.h"

#define GENERATED_INSNS_MAX 768
#define GENERATED_VALUE	    48 /* bytes of a value without fields of its own */
#define GENERATED_ENTRIES   4

/* Index in ld_imm64 of BPF_PSEUDO_MAP_FD: the caller puts its descriptors in. */
enum generated_map {
#define MAP(name, ...) GENERATED_##name,
#include "fuzz/maps.def"
#undef MAP
	GENERATED_MAPS,
};

/* Index in a call of BPF_PSEUDO_KFUNC_CALL: the caller puts the kernel's type ids in. */
enum generated_kfunc {
#define KFUNC(name) GENERATED_##name,
#include "fuzz/kfuncs.def"
#undef KFUNC
	GENERATED_KFUNCS,
};

struct generated {
	enum bpf_prog_type type;
	struct bpf_insn insns[GENERATED_INSNS_MAX];
	u32 count;
	/* The functions' types, the program's own first; 0: none is named. */
	struct generated_func {
		u32 insn;
		enum fuzz_type type;
	} funcs[FUZZ_FUNCS];
	u32 func_cnt;
	bool is_sleepable;
	bool is_mutated;       /* an instruction was changed at random */
	bool is_deterministic; /* the same input gives the same result */
};

void generate_program(u64 seed, struct generated *out);

#endif
