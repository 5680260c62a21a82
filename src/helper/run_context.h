/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a running program and its helpers can reach besides r1-r5: one per run, on the stack of
 * the thread that runs, valid inside one read-side section (base/rcu.h).
 */
#ifndef SKEP_HELPER_RUN_CONTEXT_H
#define SKEP_HELPER_RUN_CONTEXT_H

#include "base/slot.h"
#include "base/types.h"
#include "catalog/kfunc.h"
#include "catalog/uapi.h"

struct async_world;
struct btf_view;
struct kernel_world;
struct map;
struct own_type;
struct own_types;
struct own_world;
struct owners;
struct prog;
struct run_context;
struct routes;
struct run_violation;
struct skb_ctx;
struct sock_ctx;
struct xdp_ctx;
struct xdp_path;

#define TAIL_CALLS_MAX 33

/* What the engine offers to running programs. Set up once by src/sys; never changes afterwards.
 */
struct run_env {
	struct slots *slots;
	u64 fuel;	       /* of each run, in instructions; 0: no limit */
	struct owners *owners; /* of local storage; NULL: the host has none */
	struct routes *routes; /* NULL: there are none */
	void *engine;
	/* A line printed by the program, with its newline. */
	void (*trace)(void *engine, const char *text, size_t length);
	/* The same for one of the program's own streams: 0 or a negative errno. */
	int (*stream)(const struct prog *prog, u32 id, const char *text, size_t length);
	bool checked;		   /* programs run in the checked interpreter */
	struct async_world *async; /* what runs later */
	struct own_world *own;	   /* objects that programs own */
	struct own_type *cpumask;  /* helper/cpumask.h */
	/* bpf(2), for programs that may call it, and the number of a type of the kernel's; 0:
	 * there is none. */
	int (*bpf)(void *engine, int command, union bpf_attr *attr, u32 size);
	u32 (*find_type)(void *engine, const char *name, u32 kind);
	/* The kernel's types, which programs name; NULL: there are none. */
	const struct btf_view *(*kernel_types)(void *engine);
	struct kernel_world *kernel; /* structures of the kernel (helper/kernel_object.h) */
	/* The network beside the program; NULL: there is none. Whether `ifindex` is a port, and
	 * what becomes of a frame of a BPF_F_TEST_XDP_LIVE_FRAMES run after its program. */
	bool (*has_port)(void *engine, u32 ifindex);
	/* A copy of the packet leaves the port, or (`is_received`) goes where it would go after
	 * the port's programs. 0 or a negative errno. */
	int (*transmit)(struct run_context *run, u32 ifindex, const struct skb_ctx *skb,
			bool is_received);
	void (*xdp_deliver)(void *engine, struct xdp_ctx *ctx, u32 action,
			    struct run_context *run);
	/* What the checked interpreter found (run/violation.h); the run ends with r0 = 0. */
	void (*violation)(void *engine, const struct run_violation *violation);
};

/* Beside the flags of Linux's helpers. */
#define REDIRECT_TO_NEIGHBOUR (1ull << 32) /* bpf_redirect_neigh() */
#define REDIRECT_TO_PEER      (1ull << 33) /* bpf_redirect_peer() */

enum redirect_kind { REDIRECT_NONE, REDIRECT_IFINDEX, REDIRECT_MAP, REDIRECT_SOCKET };

/* Where bpf_redirect*() wants the packet to go; carried out after the program returns. */
struct redirect {
	enum redirect_kind kind;
	u32 ifindex;	 /* REDIRECT_IFINDEX */
	struct map *map; /* REDIRECT_MAP: devmap, cpumap, xskmap */
	u64 key;
	const struct sock_ctx *socket; /* REDIRECT_SOCKET: of a map */
	u64 flags;
	/* REDIRECT_TO_NEIGHBOUR: the next hop; family 0: as the routes say */
	u8 hop_family, hop[16];
};

struct run_region {
	u8 *start;
	size_t size;
};

/* What a hook tells of the event that it runs a program for; zero: nothing of the kind. */
struct run_event {
	u64 cookie;   /* the link's */
	u64 function; /* the address of the one that was entered or left */
	/* Of a traced function: the context has so many arguments, then its result. */
	u32 arg_cnt;
	bool has_result;
	const struct bpf_perf_event_value *counter; /* of a counter that overflowed */
	s32 retval; /* of programs around a system call: what it returns, as things stand */
	/* The socket that an event of sockets is about, and its descriptor. */
	struct sock_ctx *socket;
	int descriptor;
	bool is_overridden; /* bpf_override_return(): the function is not run, but gives */
	u64 override;
};

/* What a call of a kernel function tells the body beside its arguments. */
struct call_site {
	helper_fn *body;
	struct own_types *types; /* of the program's BTF; NULL: it has none */
	s32 node_offset; /* in its object, of a node that is put in; below 0: not known */
};

struct run_context {
	const struct run_env *env;
	const struct prog *prog; /* the one that runs now (changes with tail calls) */
	void *ctx;		 /* what r1 pointed to at entry */
	enum bpf_prog_type type;
	u32 slot;
	u32 tail_calls;
	struct redirect redirect;
	struct run_event event;
	/* Runs a callback subprogram of the running program (bpf_loop, for_each_map_elem). */
	u64 (*call_back)(struct run_context *run, u64 function, const u64 args[5]);
	const struct call_site *site; /* of the kernel function that was called last */
	void *executor;		      /* private to whoever runs the program */
	const struct xdp_path *path;  /* of who moves packets (net/xdp.h); NULL: nobody does */
	/* What the program may touch beside what its facts and its context name: contexts whose
	 * size the program type does not say. Only the checked interpreter looks at it. */
	const struct run_region *regions;
	u32 region_cnt;
	/* The value of the program's cgroup storage: the shared one, the per-CPU one. */
	struct run_region local_storage[2];
	struct run_region key; /* of the element that a callback runs for; as `regions` */
	bool is_stopped;       /* the run used up its fuel */
	bool violated;	       /* the checked interpreter found something in a run */
};

/* The body of helper `id`; NULL when it is not implemented (a load that needs it is refused).
 */
helper_fn *helper_body(u32 id);
/* The same for a kernel function, by its name in the kernel's BTF. */
helper_fn *kfunc_body(const char *name);

#endif
