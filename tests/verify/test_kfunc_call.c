/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of kernel functions that no compiler makes, or that this kernel does not have. */
#include "unit.h"
#include "btf/btf.h"
#include "verify/verify.h"

#include <linux/btf.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS 300

/* --- a kernel of some functions --- */

struct blob {
	struct btf_header header;
	u32 words[8192];
	u32 count; /* of words */
	char strings[16384];
	u32 length; /* of strings */
};

static u32 add_string(struct blob *blob, const char *text)
{
	u32 at = blob->length;

	strcpy(blob->strings + at, text);
	blob->length += strlen(text) + 1;
	return at;
}

static void add_type(struct blob *blob, const char *name, u32 kind, u32 vlen, u32 type)
{
	blob->words[blob->count++] = *name ? add_string(blob, name) : 0;
	blob->words[blob->count++] = kind << 24 | vlen;
	blob->words[blob->count++] = type;
}

/* Ids of types. What has a name that Linux knows is called CALLABLE. */
enum {
	INTEGER = 1,
	OPAQUE,
	POINTER_TO_OPAQUE,
	NO_ARGUMENTS,
	MANY_ARGUMENTS,
	TAKES_CONSTANT,
	TAKES_MAP,
	TAKES_OPAQUE,
	TAKES_FLOAT,
	GIVES_OPAQUE,
	FLOAT,
	DESTRUCTIVE,
	TOO_MANY_ARGUMENTS,
	CONSTANT,
	MAP,
	BEHIND_POINTER,
	NO_REGISTER,
	UNKNOWN_RESULT,
	ANY,
};

#define CALLABLE "crash_kexec"

static void add_prototype(struct blob *blob, u32 result, u32 count, const char *name, u32 type)
{
	add_type(blob, "", BTF_KIND_FUNC_PROTO, count, result);
	for (u32 i = 0; i < count; i++) {
		blob->words[blob->count++] = add_string(blob, name);
		blob->words[blob->count++] = type;
	}
}

static void add_function(struct blob *blob, const char *name, u32 prototype)
{
	add_type(blob, name, BTF_KIND_FUNC, BTF_FUNC_STATIC, prototype);
}

/* The kernel's mark on a function that programs may call. */
static void add_tag(struct blob *blob, u32 function)
{
	add_type(blob, "bpf_kfunc", BTF_KIND_DECL_TAG, 0, function);
	blob->words[blob->count++] = -1;
}

static struct btf_view *new_kernel(void)
{
	struct blob *blob = calloc(1, sizeof(*blob));
	struct btf_view *view = NULL;
	struct skep_error err;
	char name[16];
	u8 *data;

	blob->length = 1;
	add_type(blob, "int", BTF_KIND_INT, 0, 4);
	blob->words[blob->count++] = BTF_INT_SIGNED << 24 | 32;
	add_type(blob, "opaque", BTF_KIND_FWD, 0, 0);
	add_type(blob, "", BTF_KIND_PTR, 0, OPAQUE);
	add_prototype(blob, INTEGER, 0, NULL, 0);
	add_prototype(blob, INTEGER, 6, "argument", INTEGER);
	add_prototype(blob, INTEGER, 1, "number__k", INTEGER);
	add_prototype(blob, INTEGER, 1, "some__map", POINTER_TO_OPAQUE);
	add_prototype(blob, INTEGER, 1, "object", POINTER_TO_OPAQUE);
	add_prototype(blob, INTEGER, 1, "number", FLOAT);
	add_prototype(blob, POINTER_TO_OPAQUE, 0, NULL, 0);
	add_type(blob, "float", BTF_KIND_FLOAT, 0, 4);
	add_function(blob, CALLABLE, NO_ARGUMENTS);
	add_function(blob, "six_arguments", MANY_ARGUMENTS);
	add_function(blob, CALLABLE, TAKES_CONSTANT);
	add_function(blob, CALLABLE, TAKES_MAP);
	add_function(blob, CALLABLE, TAKES_OPAQUE);
	add_function(blob, CALLABLE, TAKES_FLOAT);
	add_function(blob, CALLABLE, GIVES_OPAQUE);
	for (u32 i = 0; i < FUNCTIONS; i++) {
		snprintf(name, sizeof(name), "any%u", i);
		add_function(blob, name, NO_ARGUMENTS);
	}
	for (u32 function = DESTRUCTIVE; function < ANY; function++)
		add_tag(blob, function);
	blob->header = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(blob->header),
		.type_len = blob->count * sizeof(u32),
		.str_off = blob->count * sizeof(u32),
		.str_len = blob->length,
	};
	data = malloc(sizeof(blob->header) + blob->header.type_len + blob->length);
	memcpy(data, &blob->header, sizeof(blob->header));
	memcpy(data + sizeof(blob->header), blob->words, blob->header.type_len);
	memcpy(data + sizeof(blob->header) + blob->header.type_len, blob->strings, blob->length);
	assert_int_equal(btf_view_new(data, sizeof(blob->header) + blob->header.type_len +
						    blob->length, &view, NULL, &err), 0);
	free(data);
	free(blob);
	return view;
}

static const struct btf_view *kernel_btf(void *cookie)
{
	return cookie;
}

static bool has_none(const char *name)
{
	return false;
}

/* --- programs that call one or all of them --- */

static const struct row {
	const char *reason;
	s32 id;
	u32 count; /* calls of this and the following functions */
	u32 rights;
	bool not_gpl;
	bool has_no_bodies;
	bool loads; /* r1 is a number and not the context */
} rows[] = {
	{"kfunc_not_function", INTEGER, 1, SKEP_RIGHTS_ALL},
	{"kfunc_not_function", 100000, 1, SKEP_RIGHTS_ALL},
	{"kfunc_prototype", TOO_MANY_ARGUMENTS, 1, SKEP_RIGHTS_ALL},
	{"kfunc_not_allowed", ANY, 1, SKEP_RIGHTS_ALL},
	{"kfunc_left_over", 0, 1, SKEP_RIGHTS_ALL},
	{"too_many_kfuncs", ANY, 257, SKEP_RIGHTS_ALL},
	{"kfunc_gpl", ANY, 1, SKEP_RIGHTS_ALL, .not_gpl = true},
	{"call_rights", ANY, 1, 0},
	{"kfunc_destructive", DESTRUCTIVE, 1, SKEP_RIGHT_BPF | SKEP_RIGHT_PERFMON},
	{"kfunc_missing", DESTRUCTIVE, 1, SKEP_RIGHTS_ALL, .has_no_bodies = true},
	{"kfunc_constant", CONSTANT, 1, SKEP_RIGHTS_ALL, .loads = true},
	{"kfunc_not_scalar", CONSTANT, 1, SKEP_RIGHTS_ALL},
	{"kfunc_map", MAP, 1, SKEP_RIGHTS_ALL},
	{"kfunc_pointer_type", BEHIND_POINTER, 1, SKEP_RIGHTS_ALL},
	{"kfunc_argument_type", NO_REGISTER, 1, SKEP_RIGHTS_ALL},
	{"kfunc_result_type", UNKNOWN_RESULT, 1, SKEP_RIGHTS_ALL},
	{NULL, DESTRUCTIVE, 1, SKEP_RIGHTS_ALL},
};

static int verify_row(const struct row *row, const struct btf_view *kernel,
		      struct skep_error *err)
{
	struct bpf_insn insns[FUNCTIONS + 3] = {0};
	struct verified *verified = NULL;
	struct verify_input input = {
		.insns = insns,
		.insn_cnt = row->count + 3,
		.type = BPF_PROG_TYPE_SCHED_CLS,
		.rights = row->rights,
		.gpl = !row->not_gpl,
		.kernel_btf = kernel_btf,
		.has_kfunc = row->has_no_bodies ? has_none : NULL,
		.cookie = (void *)kernel,
	};
	int ret;

	insns[0] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 1};
	if (row->loads)
		insns[0].code = BPF_LDX | BPF_MEM | BPF_W;
	for (u32 i = 1; i <= row->count; i++)
		insns[i] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
					     .src_reg = BPF_PSEUDO_KFUNC_CALL,
					     .imm = row->id + (s32)i - 1};
	insns[row->count + 1].code = BPF_ALU64 | BPF_MOV | BPF_K;
	insns[row->count + 2].code = BPF_JMP | BPF_EXIT;
	ret = verify_program(&input, &verified, err);
	verified_free(verified);
	return ret;
}

static void calls_get_their_verdicts(void **state)
{
	struct btf_view *kernel = new_kernel();
	u32 failures = 0;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_error err = {0};
		int ret = verify_row(&rows[i], kernel, &err);

		if (rows[i].reason ? err.reason && !strcmp(err.reason, rows[i].reason) : !ret)
			continue;
		print_error("row %u: want %s, got %d %s: %s\n", i,
			    rows[i].reason ? rows[i].reason : "accept", ret,
			    err.reason ? err.reason : "", err.text);
		failures++;
	}
	btf_view_free(kernel);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_get_their_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
