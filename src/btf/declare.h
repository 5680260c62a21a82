/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C declarations to types: structures, unions, enumerations, typedefs and prototypes of
 * functions, laid out as C lays them out on this machine. Names that the text does not declare
 * are the base's; the integer names of the kernel and of <stdint.h> are always there. A
 * structure without members is one that only its maker looks into.
 */
#ifndef SKEP_BTF_DECLARE_H
#define SKEP_BTF_DECLARE_H

#include "btf/builder.h"

/* -EINVAL with the line and what was expected there, -ENOMEM. */
int btf_declare(struct btf_builder *builder, const char *text, struct skep_error *err);

#endif
