/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel function as the verifier sees it: one row of kfuncs.def. Flags have Linux's names
 * (KF_*, Documentation/bpf/kfuncs.rst). Arguments and result are in the kernel's BTF.
 */
#ifndef SKEP_CATALOG_KFUNC_H
#define SKEP_CATALOG_KFUNC_H

#include "base/types.h"
#include "catalog/uapi.h"

enum kfunc_flags {
	KF_ACQUIRE = 1 << 0,	   /* the result is a reference that must be released */
	KF_RELEASE = 1 << 1,	   /* takes the reference that an argument is */
	KF_RET_NULL = 1 << 2,	   /* the result may be NULL */
	KF_RCU = 1 << 3,	   /* pointers that RCU protects will do, trusted or not */
	KF_RCU_PROTECTED = 1 << 4, /* only inside an RCU section */
	KF_SLEEPABLE = 1 << 5,	   /* only in sleepable context */
	KF_DESTRUCTIVE = 1 << 6,   /* only with CAP_SYS_BOOT */
	KF_ITER_NEW = 1 << 7,
	KF_ITER_NEXT = 1 << 8,
	KF_ITER_DESTROY = 1 << 9,
	KF_FASTCALL = 1 << 10,	   /* leaves r1 .. r5 as they are where that is made use of */
	KF_DEVICE_BOUND = 1 << 11, /* only in programs bound to a device */
};

/* Functions whose proof or effect is more than flags and BTF say. */
enum kfunc_special {
	KFUNC_PLAIN,
	KFUNC_OBJ_NEW,
	KFUNC_OBJ_DROP,
	KFUNC_PERCPU_OBJ_NEW,
	KFUNC_PERCPU_OBJ_DROP,
	KFUNC_REFCOUNT_ACQUIRE,
	KFUNC_LIST_PUSH_FRONT,
	KFUNC_LIST_PUSH_BACK,
	KFUNC_LIST_POP_FRONT,
	KFUNC_LIST_POP_BACK,
	KFUNC_LIST_FRONT,
	KFUNC_LIST_BACK,
	KFUNC_RBTREE_ADD,
	KFUNC_RBTREE_REMOVE,
	KFUNC_RBTREE_FIRST,
	KFUNC_RBTREE_ROOT,
	KFUNC_RBTREE_LEFT,
	KFUNC_RBTREE_RIGHT,
	KFUNC_THROW,
	KFUNC_TRAP, /* compilers put it where nothing may come */
	KFUNC_RCU_READ_LOCK,
	KFUNC_RCU_READ_UNLOCK,
	KFUNC_PREEMPT_DISABLE,
	KFUNC_PREEMPT_ENABLE,
	KFUNC_LOCAL_IRQ_SAVE,
	KFUNC_LOCAL_IRQ_RESTORE,
	KFUNC_RES_SPIN_LOCK,
	KFUNC_RES_SPIN_UNLOCK,
	KFUNC_RES_SPIN_LOCK_IRQSAVE,
	KFUNC_RES_SPIN_UNLOCK_IRQRESTORE,
	KFUNC_CAST_TO_KERN_CTX,
	KFUNC_RDONLY_CAST,
	KFUNC_WQ_INIT,
	KFUNC_WQ_SET_CALLBACK,
	KFUNC_WQ_START,
	KFUNC_TASK_WORK_SCHEDULE,
	KFUNC_ITER_NUM,		 /* allowed under locks, unlike other iterators */
	KFUNC_ITER_CSS_TASK_NEW, /* only for LSM, iterators and sleepable programs */
	KFUNC_DYNPTR_FROM_SKB,
	KFUNC_DYNPTR_FROM_SKB_META,
	KFUNC_DYNPTR_FROM_XDP,
	KFUNC_DYNPTR_SLICE,
	KFUNC_DYNPTR_SLICE_RDWR,
	KFUNC_DYNPTR_CLONE,
	KFUNC_ARENA_ALLOC_PAGES,
	KFUNC_ARENA_FREE_PAGES,
	KFUNC_ARENA_RESERVE_PAGES,
	KFUNC_GET_KMEM_CACHE, /* the result is untrusted */
	KFUNC_SESSION_COOKIE, /* the result is 8 writable bytes */
	KFUNC_XDP_PULL_DATA,  /* packet pointers are void afterwards */
};

struct run_context;

/* Every body of a helper or kernel function has this shape; unused arguments are ignored. */
typedef u64 helper_fn(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct run_context *run);

struct kfunc_row {
	const char *name;
	const char *since; /* first Linux that has it under this name: "6.2" */
	u64 progs;	   /* PROG_BIT()s of the program types that may call it */
	u16 flags;	   /* enum kfunc_flags */
	u8 special;	   /* enum kfunc_special */
	helper_fn *body;   /* of a function of the host (catalog/host.h); NULL: Linux's */
};

u32 kfunc_count(void);
const struct kfunc_row *kfunc_row(u32 index);
/* NULL: no kernel function that programs may call has this name. */
const struct kfunc_row *kfunc_row_by_name(const char *name);

/* Whether Linux lets this kind of program call it. For BPF_PROG_TYPE_EXT the types are the
 * replaced program's. */
bool kfunc_is_allowed(const struct kfunc_row *row, enum bpf_prog_type type,
		      enum bpf_attach_type attach_type);

#endif
