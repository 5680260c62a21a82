/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that replace functions of others (freplace): types, targets and extensions. */
#ifndef SKEP_TESTS_SYS_EXTENSION_PROGRAMS_H
#define SKEP_TESTS_SYS_EXTENSION_PROGRAMS_H

#include "tests/sys/worlds.h"
#include <linux/btf.h>

/* --- types: a blob with everything, built once --- */

#define KIND_INFO(kind, vlen) ((u32)(kind) << 24 | (vlen))
#define WORDS_MAX	      2000
#define TEXT_MAX	      4000

struct blob {
	u32 words[WORDS_MAX];
	u32 word_cnt, type_cnt;
	char text[TEXT_MAX];
	u32 text_length;
};

static inline u32 blob_string(struct blob *blob, const char *string)
{
	u32 at = blob->text_length;

	strcpy(blob->text + at, string);
	blob->text_length += strlen(string) + 1;
	return at;
}

static inline void blob_word(struct blob *blob, u32 word)
{
	blob->words[blob->word_cnt++] = word;
}

/* The id. */
static inline u32 blob_type(struct blob *blob, const char *name, u32 info, u32 size_or_type)
{
	blob_word(blob, *name ? blob_string(blob, name) : 0);
	blob_word(blob, info);
	blob_word(blob, size_or_type);
	return ++blob->type_cnt;
}

static inline u32 blob_int(struct blob *blob, const char *name, u32 size)
{
	u32 id = blob_type(blob, name, KIND_INFO(BTF_KIND_INT, 0), size);

	blob_word(blob, 8 * size);
	return id;
}

static inline u32 blob_pointer(struct blob *blob, u32 to)
{
	return blob_type(blob, "", KIND_INFO(BTF_KIND_PTR, 0), to);
}

/* Prototypes, as "result arguments": i int, l long, c char, v void, e enum, s __sk_buff *,
 * x xdp_md *, o other *, O another of the same name that is larger, p int *, q void *. */
static const char *const protos[] = {"is",  "vs",  "ls", "es",	 "ix", "i",	"ii",
				     "il",  "ic",  "ie", "io",	 "iO", "ip",	"iq",
				     "isi", "iis", "ci", "isii", "iu", "iiiiii"};

#define PROTO_CNT ARRAY_SIZE(protos)

struct types {
	struct blob blob;
	u32 by_letter[128];
	u32 global[PROTO_CNT], is_static[PROTO_CNT], tagged; /* functions */
	u32 number;					     /* a type that is no function */
};

static inline void types_add_letters(struct types *types)
{
	struct blob *blob = &types->blob;
	u32 *ids = types->by_letter;
	u32 skb, xdp, other, larger, bundle;

	types->number = ids['i'] = blob_int(blob, "int", 4);
	ids['l'] = blob_int(blob, "long", 8);
	ids['c'] = blob_int(blob, "char", 1);
	ids['e'] = blob_type(blob, "choice", KIND_INFO(BTF_KIND_ENUM, 0), 4);
	skb = blob_type(blob, "__sk_buff", KIND_INFO(BTF_KIND_STRUCT, 0), 0);
	xdp = blob_type(blob, "xdp_md", KIND_INFO(BTF_KIND_STRUCT, 0), 0);
	other = blob_type(blob, "other", KIND_INFO(BTF_KIND_STRUCT, 0), 8);
	larger = blob_type(blob, "other", KIND_INFO(BTF_KIND_STRUCT, 0), 64);
	bundle = blob_type(blob, "bundle", KIND_INFO(BTF_KIND_UNION, 0), 8);
	ids['s'] = blob_pointer(blob, skb);
	ids['x'] = blob_pointer(blob, xdp);
	ids['o'] = blob_pointer(blob, other);
	ids['O'] = blob_pointer(blob, larger);
	ids['u'] = blob_pointer(blob, bundle);
	ids['p'] = blob_pointer(blob, ids['i']);
	ids['q'] = blob_pointer(blob, 0);
}

static inline u32 types_add_proto(struct types *types, const char *letters)
{
	u32 count = strlen(letters) - 1;
	u32 id = blob_type(&types->blob, "", KIND_INFO(BTF_KIND_FUNC_PROTO, count),
			   types->by_letter[(u8)letters[0]]);

	for (u32 i = 0; i < count; i++) {
		char name[] = {'a' + i, '\0'};

		blob_word(&types->blob, blob_string(&types->blob, name));
		blob_word(&types->blob, types->by_letter[(u8)letters[1 + i]]);
	}
	return id;
}

static inline void types_build(struct types *types)
{
	memset(types, 0, sizeof(*types));
	types->blob.text_length = 1;
	types_add_letters(types);
	for (u32 i = 0; i < PROTO_CNT; i++) {
		u32 proto = types_add_proto(types, protos[i]);
		char name[16];

		snprintf(name, sizeof(name), "g_%s", protos[i]);
		types->global[i] = blob_type(&types->blob, name,
					     KIND_INFO(BTF_KIND_FUNC, BTF_FUNC_GLOBAL), proto);
		name[0] = 's';
		types->is_static[i] = blob_type(
			&types->blob, name, KIND_INFO(BTF_KIND_FUNC, BTF_FUNC_STATIC), proto);
	}
	types->tagged =
		blob_type(&types->blob, "tagged", KIND_INFO(BTF_KIND_FUNC, BTF_FUNC_GLOBAL),
			  types_add_proto(types, "io"));
	blob_type(&types->blob, "arg:nonnull", KIND_INFO(BTF_KIND_DECL_TAG, 0), types->tagged);
	blob_word(&types->blob, 0);
}

static inline u32 global_of(const struct types *types, const char *proto)
{
	for (u32 i = 0; i < PROTO_CNT; i++)
		if (!strcmp(protos[i], proto))
			return types->global[i];
	fail_msg("no prototype %s", proto);
	return 0;
}

static inline int types_load(struct world *world, const struct types *types)
{
	const struct blob *blob = &types->blob;
	const u32 bytes = blob->word_cnt * 4;
	struct {
		struct btf_header header;
		u8 rest[sizeof(blob->words) + sizeof(blob->text)];
	} data = {.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, bytes,
			     bytes, blob->text_length}};
	union bpf_attr attr = {.btf = ptr_to_u64(&data),
			       .btf_size = sizeof(data.header) + bytes + blob->text_length};

	memcpy(data.rest, blob->words, bytes);
	memcpy(data.rest + bytes, blob->text, blob->text_length);
	return bpf(world, BPF_BTF_LOAD, &attr);
}

/* --- programs --- */

struct program {
	u32 type;
	const struct bpf_insn *insns;
	u32 count;
	int btf;
	struct bpf_func_info functions[3];
	u32 function_cnt;
	int target;
	u32 target_id, attach_type, flags;
};

static inline int program_load(struct world *world, const struct program *program)
{
	union bpf_attr attr = {
		.prog_type = program->type,
		.insns = ptr_to_u64(program->insns),
		.insn_cnt = program->count,
		.license = ptr_to_u64("GPL"),
		.expected_attach_type = program->attach_type,
		.prog_flags = program->flags,
		.prog_btf_fd = program->function_cnt ? program->btf : 0,
		.func_info = ptr_to_u64(program->functions),
		.func_info_cnt = program->function_cnt,
		.func_info_rec_size = sizeof(struct bpf_func_info),
		.attach_prog_fd = program->target,
		.attach_btf_id = program->target_id,
	};

	if (!program->function_cnt)
		attr.func_info = 0, attr.func_info_rec_size = 0;
	return bpf(world, BPF_PROG_LOAD, &attr);
}

#define INSN(code, dst, src, off, imm)   \
	{                                \
		code, dst, src, off, imm \
	}
#define SET(dst, value)	       INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define COPY(dst, src)	       INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD(dst, value)	       INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define STORE(dst, off, value) INSN(BPF_ST | BPF_MEM | BPF_DW, dst, 0, off, value)
#define LOAD32(dst, src, off)  INSN(BPF_LDX | BPF_MEM | BPF_W, dst, src, off, 0)
#define CALL_SUB(distance)     INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, distance)
#define CALL_HELPER(id)	       INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define EXIT		       INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Calls a function with what its prototype takes, and returns what that returns plus 100. */
struct caller {
	struct bpf_insn insns[40];
	u32 count, sub; /* where the function starts */
};

static inline void caller_add(struct caller *caller, struct bpf_insn insn)
{
	caller->insns[caller->count++] = insn;
}

static inline void caller_argument(struct caller *caller, char letter, u8 reg)
{
	if (letter == 's' || letter == 'x') {
		caller_add(caller, (struct bpf_insn)COPY(reg, BPF_REG_6));
	} else if (strchr("oOupq", letter)) {
		caller_add(caller, (struct bpf_insn)COPY(reg, BPF_REG_10));
		caller_add(caller, (struct bpf_insn)ADD(reg, -64));
	} else {
		caller_add(caller, (struct bpf_insn)SET(reg, reg));
	}
}

static inline void caller_build(struct caller *caller, const char *proto)
{
	static const struct bpf_insn tail[] = {CALL_SUB(2), ADD(0, 100), EXIT, SET(0, 3), EXIT};

	memset(caller, 0, sizeof(*caller));
	caller_add(caller, (struct bpf_insn)COPY(6, 1));
	for (s32 off = -64; off < 0; off += 8)
		caller_add(caller, (struct bpf_insn)STORE(10, off, off));
	for (u32 i = 1; proto[i]; i++)
		caller_argument(caller, proto[i], i);
	for (u32 i = 0; i < ARRAY_SIZE(tail); i++)
		caller_add(caller, tail[i]);
	caller->sub = caller->count - 2;
}

static inline int target_load(struct world *world, const struct types *types, int btf, u32 type,
			      const char *proto, u32 function)
{
	struct caller caller;
	struct program program = {
		.type = type, .insns = caller.insns, .btf = btf, .function_cnt = 2};

	caller_build(&caller, proto);
	program.count = caller.count;
	program.functions[0].type_id =
		global_of(types, type == BPF_PROG_TYPE_XDP ? "ix" : "is");
	program.functions[1] = (struct bpf_func_info){caller.sub, function};
	return program_load(world, &program);
}

static const struct bpf_insn returns_7[] = {SET(0, 7), EXIT};

static inline struct program extension_of_function(int btf, u32 function, int target,
						   u32 target_id)
{
	return (struct program){.type = BPF_PROG_TYPE_EXT,
				.insns = returns_7,
				.count = ARRAY_SIZE(returns_7),
				.btf = btf,
				.functions = {{0, function}},
				.function_cnt = 1,
				.target = target,
				.target_id = target_id};
}

static inline int extension_load(struct world *world, int btf, u32 function, int target,
				 u32 target_id)
{
	struct program program = extension_of_function(btf, function, target, target_id);

	return program_load(world, &program);
}

static inline int run(struct world *world, int fd)
{
	u8 packet[64] = {0}, out[256];
	union bpf_attr attr = {.test = {.prog_fd = fd,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet),
					.data_out = ptr_to_u64(out),
					.data_size_out = sizeof(out)}};
	int ret = bpf(world, BPF_PROG_TEST_RUN, &attr);

	return ret ? ret : (int)attr.test.retval;
}

/* A link's last reference may fall a moment after it was closed. */
static inline void wait_for(struct world *world, int fd, int result)
{
	for (u32 i = 0; i < 100 && run(world, fd) != result; i++)
		usleep(10000);
}

static inline int link_to(struct world *world, int prog, int target, u32 target_id)
{
	union bpf_attr attr = {.link_create = {.prog_fd = prog, .target_fd = target}};

	attr.link_create.target_btf_id = target_id;
	return bpf(world, BPF_LINK_CREATE, &attr);
}

#endif
