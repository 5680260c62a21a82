/* SPDX-License-Identifier: BSD-2-Clause */
#define N 10000
#include "bench.h"
#include "flow.h"
#include "lpmops.h"
