/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs whose runs are limited in length. */
#ifndef SKEP_VERIFY_FUEL_H
#define SKEP_VERIFY_FUEL_H

#include "verify/walk.h"

/* Runs of the program are limited: it can be stopped at the instruction. */
int fuel_prove_limited(struct walk *walk);

/* The program can be stopped at the instruction, or need not be. */
static inline int fuel_prove(struct walk *walk)
{
	return walk->input->flags & VERIFY_FUEL ? fuel_prove_limited(walk) : 0;
}

/* Once the edges are known: verified->rounds, when runs are limited. 0 or -ENOMEM. */
int fuel_find_rounds(struct walk *walk);

#endif
