/* SPDX-License-Identifier: BSD-2-Clause */
/* One call of bpf(2): what a command's function gets, and the table of all commands. */
#ifndef SKEP_SYS_COMMAND_H
#define SKEP_SYS_COMMAND_H

#include "base/user.h"
#include "sys/attr.h"
#include "sys/engine.h"

struct call {
	struct skep_engine *engine;
	struct skep_error *err;
	union attr attr; /* a private copy; what the caller did not give is 0 */
	u64 user_attr;	 /* where the caller's is, for results */
	u32 user_size;	 /* its size as the caller knows it */
};

/* Writes a result into the caller's attr: 0 or -EFAULT. */
#define call_put(call, field, value)                                                    \
	({                                                                              \
		__typeof__(((union attr *)0)->field) put_value = (value);               \
		user_write((call)->user_attr + offsetof(union attr, field), &put_value, \
			   sizeof(put_value));                                          \
	})

/* What a command's function returns when it was refused, with one line of detail. */
#define call_fail(call, code, ...) error_set((call)->err, SKEP_STAGE_CALL, code, __VA_ARGS__)

#define COMMAND(name, number, end) int command_##name(struct call *call);
#include "sys/commands.def"
#undef COMMAND

/* --- what commands share --- */

/* References; NULL with call->err filled in and *ret set. `mode`: what the descriptor must
 * allow (enum descriptor_mode), else -EPERM. */
struct map *call_map(struct call *call, int fd, u32 mode, int *ret);
struct prog *call_prog(struct call *call, int fd, int *ret);
/* -EOPNOTSUPP for programs of an engine that only verifies. */
struct prog *call_prog_to_run(struct call *call, int fd, int *ret);

/* Copies a name of letters, digits, '_' and '.': its length or -EINVAL. */
int call_name(struct call *call, const char *from, char out[BPF_OBJ_NAME_LEN]);

/* Publishes the object if it has no id yet, hands out a descriptor, and drops the caller's
 * reference either way. The descriptor or a negative errno. */
int call_hand_out(struct call *call, struct object *object, u32 mode);

#endif
