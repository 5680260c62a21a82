/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's bpf uapi, and those of its numbers that are newer than the header skep may be built
 * with (Linux 6.1, Debian 12). Numbers are Linux 6.18's. Everything in src/ includes this file
 * and not linux/bpf.h. Lists of things (maps, helpers, program types) are the .def tables
 * beside it.
 */
#ifndef SKEP_CATALOG_UAPI_H
#define SKEP_CATALOG_UAPI_H

#include "isa/uapi.h"
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/version.h>

/* Enumerators cannot be tested with #ifdef: the header's own version says what it lacks. */
#define SKEP_UAPI_BEFORE(major, minor) (LINUX_VERSION_CODE < KERNEL_VERSION(major, minor, 0))

/* map types */
#if SKEP_UAPI_BEFORE(6, 2)
#define BPF_MAP_TYPE_CGRP_STORAGE ((enum bpf_map_type)32)
#endif
#if SKEP_UAPI_BEFORE(6, 9)
#define BPF_MAP_TYPE_ARENA ((enum bpf_map_type)33)
#endif

/* flags of map creation */
#if SKEP_UAPI_BEFORE(6, 4)
#define BPF_F_LINK (1U << 13)
#endif
#if SKEP_UAPI_BEFORE(6, 9)
#define BPF_F_VTYPE_BTF_OBJ_FD (1U << 15)
#define BPF_F_SEGV_ON_FAULT    (1U << 17)
#define BPF_F_NO_USER_CONV     (1U << 18)
#endif
#if SKEP_UAPI_BEFORE(6, 2)
#define BPF_FUNC_cgrp_storage_get    210
#define BPF_FUNC_cgrp_storage_delete 211
#endif

/* program types */
#if SKEP_UAPI_BEFORE(6, 4)
#define BPF_PROG_TYPE_NETFILTER ((enum bpf_prog_type)32)
#endif

/* attach types */
#if SKEP_UAPI_BEFORE(6, 4)
#define BPF_STRUCT_OPS ((enum bpf_attach_type)44)
#define BPF_NETFILTER  ((enum bpf_attach_type)45)
#endif
#if SKEP_UAPI_BEFORE(6, 6)
#define BPF_TCX_INGRESS	       ((enum bpf_attach_type)46)
#define BPF_TCX_EGRESS	       ((enum bpf_attach_type)47)
#define BPF_TRACE_UPROBE_MULTI ((enum bpf_attach_type)48)
#endif
#if SKEP_UAPI_BEFORE(6, 7)
#define BPF_CGROUP_UNIX_CONNECT	    ((enum bpf_attach_type)49)
#define BPF_CGROUP_UNIX_SENDMSG	    ((enum bpf_attach_type)50)
#define BPF_CGROUP_UNIX_RECVMSG	    ((enum bpf_attach_type)51)
#define BPF_CGROUP_UNIX_GETPEERNAME ((enum bpf_attach_type)52)
#define BPF_CGROUP_UNIX_GETSOCKNAME ((enum bpf_attach_type)53)
#define BPF_NETKIT_PRIMARY	    ((enum bpf_attach_type)54)
#define BPF_NETKIT_PEER		    ((enum bpf_attach_type)55)
#endif
#if SKEP_UAPI_BEFORE(6, 10)
#define BPF_TRACE_KPROBE_SESSION ((enum bpf_attach_type)56)
#endif
#if SKEP_UAPI_BEFORE(6, 13)
#define BPF_TRACE_UPROBE_SESSION ((enum bpf_attach_type)57)
#endif

/* where a program goes among others */
#if SKEP_UAPI_BEFORE(6, 6)
#define BPF_F_BEFORE	  (1U << 3)
#define BPF_F_AFTER	  (1U << 4)
#define BPF_F_ID	  (1U << 5)
#define BPF_LINK_TYPE_TCX ((enum bpf_link_type)11)
#endif
#if SKEP_UAPI_BEFORE(6, 10)
#define BPF_LINK_TYPE_SOCKMAP ((enum bpf_link_type)14)
#endif
#if SKEP_UAPI_BEFORE(6, 17)
#define BPF_STDOUT 1
#define BPF_STDERR 2
#endif
#if SKEP_UAPI_BEFORE(6, 15)
#define BPF_F_PREORDER (1U << 6)
#endif

/* Linux's internal "not supported", which bpf(2) lets out; <errno.h> has no name for it. */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

/* The largest errno that a function of the kernel returns, negated. */
#define ERRNO_MAX 4095

#endif
