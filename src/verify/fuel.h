/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs whose runs are limited in length. */
#ifndef SKEP_VERIFY_FUEL_H
#define SKEP_VERIFY_FUEL_H

#include "verify/walk.h"

/* The program can be stopped at the instruction, or need not be. */
int fuel_prove(struct walk *walk);
/* Once the edges are known: verified->rounds, when runs are limited. 0 or -ENOMEM. */
int fuel_find_rounds(struct walk *walk);

#endif
