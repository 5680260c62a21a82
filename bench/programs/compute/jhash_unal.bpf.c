/* SPDX-License-Identifier: BSD-2-Clause */
#define UNALIGNED
#include "jhash.bpf.c"
