/* SPDX-License-Identifier: BSD-2-Clause */
#define N 1000000
#include "bench.h"
#include "flow.h"
#include "lpmops.h"
