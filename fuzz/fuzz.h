/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every target has: libFuzzer's entry. A target takes any bytes, and aborts (REQUIRE) when
 * a property does not hold. How to add one: meson.build here.
 */
#ifndef SKEP_FUZZ_FUZZ_H
#define SKEP_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                              \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

#endif
