/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that call functions of the program. */
#ifndef SKEP_VERIFY_CALLBACK_H
#define SKEP_VERIFY_CALLBACK_H

#include "verify/walk.h"

/* It does not call the function now: the engine does, some time later. */
bool callback_is_later(u32 helper);
/* The helper of the call under way may call back. */
int callback_prove(struct walk *walk, u32 helper);
/* A function of the program (walk->call.callback) runs later, with the element of `map`. */
int callback_put_off_later(struct walk *walk, const struct map_desc *map,
			   enum callback_kind kind);
/* It compares nodes of the tree that bpf_rbtree_add() puts one into. */
int callback_put_off_less(struct walk *walk);
/* Puts off the callback's body, to be walked from the present state. */
int callback_put_off(struct walk *walk, u32 helper);

#endif
