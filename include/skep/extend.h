/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host application offers to programs beside what Linux has: functions that they call,
 * hooks that they run at, map types. An engine gets all of it when it is made
 * (skep_engine_opts.extension) and keeps it for life; two engines share nothing.
 *
 * Prototypes and structures are C declarations, from which the engine makes BTF that follows
 * the kernel's as a module's does. So libbpf finds them unmodified:
 *
 *	extern struct order *order_get(int id) __ksym;		a function
 *	SEC("fmod_ret/order_check") int BPF_PROG(...)		a hook
 *
 * and the verifier enforces them. A host's functions are called by programs that it does not
 * trust: what the prototype asks for holds, and nothing else does.
 */
#ifndef SKEP_EXTEND_H
#define SKEP_EXTEND_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- functions --- */

/*
 * What the prototype does not tell (Linux's KF_*, Documentation/bpf/kfuncs.rst). Arguments mean
 * what they mean there, by type and by the end of their name: "ptr, ptr__sz" is memory of the
 * program's own of that size, readable and writable; "__k" a constant; "__str" a string that
 * cannot change; "__map" a map; "__nullable" a pointer that may be NULL; "__ign" anything.
 *
 * A pointer to a structure is an object that a function or a hook gave to the program. Two
 * kinds of structure may be memory of the program's own instead, of their size: those of
 * numbers only. So what only the host makes is declared without members ("struct order;") or
 * with a pointer among them. Programs read the members of objects, and never write them.
 */
enum skep_function_flags {
	SKEP_FN_ACQUIRE = 1 << 0,   /* the result is a reference, which must be released */
	SKEP_FN_RELEASE = 1 << 1,   /* takes the reference that one of its arguments is */
	SKEP_FN_RET_NULL = 1 << 2,  /* the result may be NULL: programs must look */
	SKEP_FN_SLEEPABLE = 1 << 3, /* may block: only in sleepable programs */
	SKEP_FN_ADMIN = 1 << 4,	    /* only for loaders with SKEP_RIGHT_ADMIN */
	SKEP_FN_FLAGS = (1 << 5) - 1,
};

/* The run of a program that calls a function of the host; valid during the call. */
struct skep_run;

/*
 * What a program calls: its arguments as registers hold them (integers as declared are in the
 * low bits; pointers are addresses), those that the prototype lacks are undefined. The result
 * is what the prototype says. Runs on the thread that runs the program, from several at a time,
 * inside an RCU read-side section unless it is SLEEPABLE. It must not call functions of the
 * engine.
 */
typedef uint64_t skep_function_body(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,
				    uint64_t r5, struct skep_run *run);

/* skep_extension.cookie of the engine that runs the program. */
SKEP_API void *skep_run_cookie(const struct skep_run *run);

/* Helpers with these ids are the host's. */
#define SKEP_HELPER_FIRST 0x10000u

struct skep_function {
	const char *name; /* in the declarations; no name of a function of the kernel */
	skep_function_body *body;
	uint32_t flags; /* enum skep_function_flags */
	/* Not 0: programs may also call it by this number, as they call Linux's helpers:
	 *	static struct order *(*order_get)(int id) = (void *)0x10000;
	 */
	uint32_t helper_id;
	uint64_t progs; /* bit n: programs of type n (enum bpf_prog_type) may; 0: all */
};

/* --- hooks --- */

/*
 * A place where programs run: a function among the declarations that has no body. One that
 * returns an int takes SEC("fmod_ret/NAME") programs, which run one after the other until one
 * returns something else than 0; one that returns void takes SEC("fentry/NAME") programs. Both
 * get its arguments, pointers to structures as objects. Attaching is libbpf's
 * bpf_program__attach(), BPF_LINK_CREATE or BPF_RAW_TRACEPOINT_OPEN; loading needs
 * SKEP_RIGHT_BPF, and without SKEP_RIGHT_PERFMON such programs have only helpers that socket
 * filters have, too.
 */
struct skep_hook {
	const char *name;
	int32_t min, max; /* what programs of a hook that returns an int may return */
};

#define SKEP_HOOK_PROGS 8  /* programs at one hook */
#define SKEP_HOOK_ARGS	12 /* arguments of a hook */

struct skep_hook_point;

/* A hook of the engine, valid as long as it; NULL: it has none of this name. */
SKEP_API struct skep_hook_point *skep_hook_find(struct skep_engine *engine, const char *name);
/* Whether programs are there: cheap, for callers that have to gather the arguments. */
SKEP_API bool skep_hook_is_used(const struct skep_hook_point *hook);

/*
 * Runs the hook's programs in the order in which they were attached. `args` are as many as the
 * prototype has; what pointers among them point to must be there during the call. 0, and in
 * *result (may be NULL) what the last program returned; 0 when there are none. -EINTR: a
 * program used up its fuel (skep_engine_opts.fuel) and was stopped; *result is untouched.
 */
SKEP_API int skep_hook_run(struct skep_hook_point *hook, const uint64_t *args, int32_t *result);

/* --- map types --- */

/* Map types with these numbers are the host's. */
#define SKEP_MAP_TYPE_FIRST 0x10000u

struct skep_map_attr {
	uint32_t type, key_size, value_size, max_entries;
	uint64_t map_extra;
};

/*
 * A map type. Its operations are called from any thread, from several at a time; those that
 * are NULL answer -ENOTSUP. Keys and values have the map's sizes; what programs and user space
 * give was checked for that. Flags are BPF_ANY, BPF_NOEXIST or BPF_EXIST. Results are 0 or a
 * negative errno.
 *
 * `lookup` gives programs a pointer to a value in place, or NULL. It must stay readable and
 * writable until the section of the program that asked ends: what is taken out of a map is
 * freed through skep_free_later().
 */
struct skep_map_type {
	uint32_t type; /* from SKEP_MAP_TYPE_FIRST on */
	const char *name;
	/* A new map: *state is what the others get. What the sizes must be is its to check. */
	int (*create)(void *cookie, const struct skep_map_attr *attr, void **state);
	/* Nobody can reach the map any more. */
	void (*destroy)(void *state);
	void *(*lookup)(void *state, const void *key);
	int (*update)(void *state, const void *key, const void *value, uint64_t flags);
	int (*remove)(void *state, const void *key);
	/* `key` NULL: the first; -ENOENT: there is none behind it. */
	int (*next_key)(void *state, const void *key, void *next);
};

/* Calls release(memory) once no program can still have a pointer into it. -ENOMEM: it will not
 * be called. */
SKEP_API int skep_free_later(void *memory, void (*release)(void *memory));

/* --- all of it --- */

struct skep_extension {
	size_t sz;
	/* The module's name in BTF: letters, digits and '_', at most 55. */
	const char *name;
	/* C: structures, unions, enumerations, typedefs and prototypes. Types that it does not
	 * declare are the kernel's; u8, __u32, uint64_t and their like are there. */
	const char *declarations;
	const struct skep_function *functions;
	uint32_t function_cnt;
	const struct skep_hook *hooks;
	uint32_t hook_cnt;
	const struct skep_map_type *map_types;
	uint32_t map_type_cnt;
	void *cookie; /* for bodies and map types */
};

#ifdef __cplusplus
}
#endif
#endif
