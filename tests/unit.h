/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka with the headers that it wants before itself. */
#ifndef SKEP_TESTS_UNIT_H
#define SKEP_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
