/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's bpf uapi, and those of its numbers that are newer than the header skep may be built
 * with (Linux 6.1, Debian 12). Numbers are Linux 6.18's. Everything in src/ includes this file
 * and not linux/bpf.h. Lists of things (maps, helpers, program types) are the .def tables
 * beside it.
 */
#ifndef SKEP_CATALOG_UAPI_H
#define SKEP_CATALOG_UAPI_H

#include <linux/bpf.h>
#include <linux/btf.h>

/* instructions */
#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ 0x100
#endif
#ifndef BPF_STORE_REL
#define BPF_STORE_REL 0x110
#endif
#ifndef BPF_PSEUDO_KINSN
#define BPF_ADDR_SPACE_CAST 1 /* offset of a 64-bit register move */
#endif

#endif
