/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterators (BPF_TRACE_ITER): a link says what is looked at, ITER_CREATE runs its program for
 * each thing and once more for none, and what the program writes is the content of the file
 * that user space gets. Linux runs it as the file is read; here it has run by then.
 */
#ifndef SKEP_SYS_ITERATOR_H
#define SKEP_SYS_ITERATOR_H

#include "hook/hook.h"
#include "sys/command.h"

#include <sys/types.h>

struct iterator_target;

/* What a link looks at; zeros: everything. */
struct iterator_scope {
	struct map *map; /* reference */
	pid_t thread, process;
	u32 order;	 /* Linux's BPF_CGROUP_ITER_* */
	u64 cgroup;	 /* its id */
	char *directory; /* the group's; owned */
};

/* One pass. */
struct iterator {
	struct call *call;
	struct prog *prog;
	const struct iterator_scope *scope;
	struct run_context run;
	struct run_region lent[2]; /* a key and a value of the thing shown now */
	void *meta, *seq; /* struct bpf_iter_meta, struct seq_file (helper/kernel_object.h) */
	u64 number;	  /* of the next thing */
	int error;
};

/*
 * Runs the program for one thing, given by what follows bpf_iter_meta in its context. False:
 * the pass ends here.
 */
bool iterator_show(struct iterator *it, u64 first, u64 second, u64 third);

/* Kinds of things: one row of iterator_targets.def each. */
struct iterator_target {
	const char *name; /* "task": programs attach to bpf_iter_task() */
	/* Reads what the caller says of the scope; `info` is zeros where it said nothing. 0 or
	 * a negative errno, with `out` for the caller to give back. */
	int (*read)(struct call *call, const union bpf_iter_link_info *info,
		    const struct prog *prog, struct iterator_scope *out);
	/* Shows all things; what it meets is in it->error. */
	void (*walk)(struct iterator *it);
	/* What LINK info says of the scope; NULL: nothing. */
	void (*describe)(const struct iterator_scope *scope, struct bpf_link_info *out);
};

#define TARGET(name, read, walk, describe)                                                \
	int iterator_read_##read(struct call *call, const union bpf_iter_link_info *info, \
				 const struct prog *prog, struct iterator_scope *out);    \
	void iterator_walk_##walk(struct iterator *it);                                   \
	void iterator_describe_##describe(const struct iterator_scope *scope,             \
					  struct bpf_link_info *out);
#include "sys/iterator_targets.def"
#undef TARGET

/* LINK_CREATE of a program that iterates. */
int iterator_link_create(struct call *call, struct prog *prog, struct link **out);
int iterator_link_update(struct call *call, struct link *link, struct prog *prog,
			 struct prog *expected);
/* The rest of its link info; the target's name is written to the caller. */
int iterator_link_info(struct call *call, const struct link *link, struct bpf_link_info *info);
/* A descriptor of what the program writes; a negative errno. */
int iterator_open(struct call *call, struct link *link);

#endif
