/* SPDX-License-Identifier: BSD-2-Clause */
#define V6
#define N 200000
#include "bench.h"
#include "flow.h"
#include "lpmops.h"
