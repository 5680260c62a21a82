/* SPDX-License-Identifier: BSD-2-Clause */
#define UNALIGNED
#include "siphash.bpf.c"
