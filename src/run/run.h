/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loaded program: something that runs. Made from a verified program; executed by the
 * interpreter (later also by machine code); counted.
 */
#ifndef SKEP_RUN_RUN_H
#define SKEP_RUN_RUN_H

#include "base/object.h"
#include "base/rcu.h"
#include "helper/run_context.h"
#include "verify/verify.h"

struct device_handle;
struct map;
struct btf_view;
struct prog_streams;
struct prog_code; /* pre-decoded instructions; private to src/run */

struct prog {
	struct object object; /* first: an object of kind OBJECT_PROG */
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	char name[BPF_OBJ_NAME_LEN];
	u8 tag[BPF_TAG_SIZE];
	bool gpl;
	u32 uid;
	u32 bound_ifindex;	   /* the only port it runs at, natively; 0: any */
	u32 attach_btf_id;	   /* of what it attaches to by BTF; 0: nothing */
	u64 load_time;		   /* CLOCK_BOOTTIME, ns */
	struct verified *verified; /* owned */
	struct prog_code *code;	   /* owned; NULL: it only stands for its verdict */
	/* Owned; NULL: the program is interpreted (run/native.h). Replaced while it runs: loaded
	 * once for each run, under RCU. */
	struct native *_Atomic native;
	struct device_handle *offload; /* owned: the device that runs it; NULL: here */
	bool is_blinded; /* its constants must not be found in its machine code */
	struct map **maps;	   /* references, as verified->maps */
	u32 map_cnt;
	struct prog_streams *streams; /* owned: what it writes (run/stream.h) */
	struct object *btf;  /* reference; NULL */
	struct prog *target; /* reference: of which it replaces a function when it is attached
				without naming one, until then; guarded by src/hook; NULL */
	atomic_bool is_extended; /* another one runs instead of one of its functions */
	atomic_ullong run_time_ns, run_cnt; /* counted while statistics are on */
	struct rcu_head rcu;
	void *sys; /* load-time data that OBJ_GET_INFO shows (line info, ...); owned by src/sys
		    */
};

/* A program's types, for objects of its own. */
struct prog_types {
	struct own_world *world; /* the engine's */
	struct object *btf;	 /* a reference is taken; keeps `view` alive */
	const struct btf_view *view;
};

/*
 * Takes over `verified` (freed also on failure). `maps[i]` belongs to verified->maps[i]; the
 * program takes its own references. `types` NULL: it has none. 0 or a negative errno (-ENOMEM,
 * -EINVAL: a helper without a body).
 */
int prog_new(struct verified *verified, struct map *const *maps, const struct prog_types *types,
	     struct prog **out, struct skep_error *err);

/* The same without what runs: the helpers need no bodies, and the program must never run. */
int prog_new_verified(struct verified *verified, struct map *const *maps, struct prog **out,
		      struct skep_error *err);

/* Whether programs that call the helper can run. */
bool prog_has_helper(u32 id);
/* The same for a kernel function. */
bool prog_has_kfunc(const char *name);

/*
 * Runs on `ctx` (the engine's own structure, catalog/ctx.h) and returns r0. The caller is
 * inside a read-side section and owns the slot in `run`. Never fails: the program is verified.
 */
u64 prog_run(const struct prog *prog, void *ctx, struct run_context *run);

/* Runs a callback of the program that was to run later, on a stack and in a run of its own. */
void prog_call_later(const struct run_env *env, const struct prog *prog, u64 function,
		     const u64 args[5]);

/* Prepares a run_context, enters a slot and a read-side section; and back. */
void run_begin(struct run_context *run, const struct run_env *env);
void run_end(struct run_context *run);

/* Whether run_time_ns and run_cnt are counted (BPF_ENABLE_STATS). */
void run_stats_enable(bool on);
bool run_stats_enabled(void);

/* Whether the program knows that XDP frames may have fragments. */
static inline bool prog_has_frags(const struct prog *prog)
{
	return prog->verified->flags & VERIFY_XDP_FRAGS;
}

/* BPF_PROG_TEST_RUN as Linux 6.18 does it for the types that have it; -ENOTSUPP (524) for
 * others. */
int prog_test_run(struct prog *prog, const struct run_env *env, union bpf_attr *attr,
		  struct skep_error *err);

#endif
