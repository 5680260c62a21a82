/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the machine that code is made for is the one that skep is built for. */
#ifndef SKEP_JIT_MACHINE_H
#define SKEP_JIT_MACHINE_H

#if defined(__aarch64__)
#include "jit/arm64_machine.h"
#else
#include "jit/x86_machine.h"
#endif

#endif
