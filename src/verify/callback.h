/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that call functions of the program. */
#ifndef SKEP_VERIFY_CALLBACK_H
#define SKEP_VERIFY_CALLBACK_H

#include "verify/walk.h"

/* It does not call the function now: the engine does, some time later. */
bool callback_is_later(u32 helper);
/* The helper of the call under way may call back. */
int callback_prove(struct walk *walk, u32 helper);
/* Puts off the callback's body, to be walked from the present state. */
int callback_put_off(struct walk *walk, u32 helper);

#endif
