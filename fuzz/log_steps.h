/* SPDX-License-Identifier: BSD-2-Clause */
/* What a verifier's log says of the paths that it walked, instruction by instruction. */
#ifndef SKEP_FUZZ_LOG_STEPS_H
#define SKEP_FUZZ_LOG_STEPS_H

#include "base/types.h"
#include <stdbool.h>
#include <stddef.h>

struct log_step {
	const char *line; /* in the log */
	size_t length;
	u32 insn;
	bool is_speculative;
	bool is_last; /* of the path, that does not end as it is covered by another one */
};

struct log_steps {
	const char *at;
	bool is_speculative;
};

/* `log`: of level 2; of level 1, with the last path only. */
struct log_steps log_steps(const char *log);
/* False: no more. */
bool log_step_next(struct log_steps *steps, struct log_step *out);

/* What the log said last of a register before `before`: the text behind "R1=", without marks of
 * precision; *length 0: nothing. */
const char *log_register(const char *log, const char *before, u32 reg, size_t *length);
/* A hash of such a text, the names of numbers (id=) left out. */
u64 log_value_hash(const char *text, size_t length);
/* A pointer, or what else is no number. */
bool log_value_is_pointer(const char *text, size_t length);

#endif
