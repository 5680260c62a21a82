/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of instructions that are newer than the header: Linux 6.18's. */
#ifndef SKEP_ISA_UAPI_H
#define SKEP_ISA_UAPI_H

#include <linux/bpf.h>

#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* load with sign extension */
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0 /* may_goto */
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ 0x100
#endif
#ifndef BPF_STORE_REL
#define BPF_STORE_REL 0x110
#endif
#ifndef BPF_ADDR_SPACE_CAST
#define BPF_ADDR_SPACE_CAST 1 /* offset of a 64-bit register move */
#endif

#endif
