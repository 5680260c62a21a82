/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program attaches to by BTF: a function of the kernel, a tracepoint, an iterator, a
 * security hook, a function of a structure. Its prototype is the program's context: 8 bytes an
 * argument.
 */
#ifndef SKEP_VERIFY_ATTACH_H
#define SKEP_VERIFY_ATTACH_H

#include "verify/walk.h"

/* Finds what the program attaches to (walk->attach) and checks that it may. */
int attach_resolve(struct walk *walk);
/* The part of it that programs of the input's type have. */
int attach_find(struct walk *walk);

/* The program begins: arguments that it must give back are references. */
int attach_enter(struct walk *walk);

/* A load from the context, which is arguments: into walk->access.loaded. */
int attach_prove_argument(struct walk *walk, s64 off, u32 size);

/* Helpers by the place where the program attaches (attach_helper.c): whether they are there at
 * all, and whether they may be called. */
bool attach_has_helper(const struct walk *walk, u32 id);
bool attach_allows_helper(const struct walk *walk, u32 id);

/* The program is called by a trampoline of the function that it attaches to. */
bool attach_has_trampoline(const struct walk *walk);

/* What the program may return. A struct_ops member may return nothing, or a pointer. */
struct ret_range attach_ret_range(const struct walk *walk);

#endif
