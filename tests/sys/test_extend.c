/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application adds to an engine: functions, hooks, map types, fuel; and what is
 * refused. */
#include "base/types.h"
#include "sys/engine.h"
#include "tests/unit.h"

#include <errno.h>
#include <skep/extend.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELPER	 SKEP_HELPER_FIRST
#define MAP_TYPE SKEP_MAP_TYPE_FIRST

static struct skep_engine *engine;

/* --- what is added --- */

struct token {
	int held;
};

static struct token token;

static uint64_t token_get(uint64_t fail, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
			  struct skep_run *run)
{
	if (fail)
		return 0;
	token.held++;
	return (uintptr_t)&token;
}

static uint64_t token_put(uint64_t held, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
			  struct skep_run *run)
{
	((struct token *)(uintptr_t)held)->held--;
	return 0;
}

/* The sum of memory of the program's own, and what the engine's cookie is. */
static uint64_t sum(uint64_t bytes, uint64_t size, uint64_t r3, uint64_t r4, uint64_t r5,
		    struct skep_run *run)
{
	uint64_t total = *(int *)skep_run_cookie(run);

	for (uint64_t i = 0; i < size; i++)
		total += ((const uint8_t *)(uintptr_t)bytes)[i];
	return total;
}

static const struct skep_function functions[] = {
	{.name = "token_get",
	 .body = token_get,
	 .flags = SKEP_FN_ACQUIRE | SKEP_FN_RET_NULL,
	 .helper_id = HELPER},
	{.name = "token_put",
	 .body = token_put,
	 .flags = SKEP_FN_RELEASE,
	 .helper_id = HELPER + 1},
	{.name = "sum", .body = sum, .helper_id = HELPER + 2},
	{.name = "only_xdp",
	 .body = sum,
	 .helper_id = HELPER + 3,
	 .progs = 1ull << BPF_PROG_TYPE_XDP},
};

static const struct skep_hook hooks[] = {{.name = "ask", .min = -2, .max = 1},
					 {.name = "tell"}};

/* One value, and how often it was made and freed. */
struct cell {
	uint64_t value, key;
	uint32_t size;
};

static int cells;

static int cell_create(void *cookie, const struct skep_map_attr *attr, void **state)
{
	struct cell *cell = calloc(1, sizeof(*cell));

	if (attr->key_size != 8 || attr->value_size != 8 || *(int *)cookie != 1000) {
		free(cell);
		return -EINVAL;
	}
	*state = cell;
	cells++;
	return 0;
}

static void cell_destroy(void *state)
{
	cells--;
	free(state);
}

static void *cell_lookup(void *state, const void *key)
{
	struct cell *cell = state;

	return cell->size && !memcmp(&cell->key, key, 8) ? &cell->value : NULL;
}

static int cell_update(void *state, const void *key, const void *value, uint64_t flags)
{
	struct cell *cell = state;

	if (flags == BPF_NOEXIST && cell->size)
		return -EEXIST;
	memcpy(&cell->key, key, 8);
	memcpy(&cell->value, value, 8);
	cell->size = 1;
	return 0;
}

static int cell_next(void *state, const void *key, void *next)
{
	struct cell *cell = state;

	if (key || !cell->size)
		return -ENOENT;
	memcpy(next, &cell->key, 8);
	return 0;
}

static const struct skep_map_type map_types[] = {{.type = MAP_TYPE,
						  .name = "cell",
						  .create = cell_create,
						  .destroy = cell_destroy,
						  .lookup = cell_lookup,
						  .update = cell_update,
						  .next_key = cell_next}};

static int cookie = 1000;

static const struct skep_extension good = {
	.sz = sizeof(good),
	.name = "test",
	.declarations = "struct token; struct point { int x; struct point *next; };"
			"struct token *token_get(int fail);"
			"void token_put(struct token *token);"
			"u64 sum(const void *bytes, u32 bytes__sz);"
			"u64 only_xdp(const void *bytes, u32 bytes__sz);"
			"int ask(struct point *point, int number); void tell(u64 what);",
	.functions = functions,
	.function_cnt = ARRAY_SIZE(functions),
	.hooks = hooks,
	.hook_cnt = ARRAY_SIZE(hooks),
	.map_types = map_types,
	.map_type_cnt = 1,
	.cookie = &cookie,
};

/* --- the engine --- */

struct way {
	const char *name;
	uint32_t jit;
	bool checked;
};

static const struct way ways[] = {
	{"full", SKEP_JIT_FULL, false},
	{"base", SKEP_JIT_BASE, false},
	{"interpreter", SKEP_JIT_OFF, false},
	{"checked", SKEP_JIT_OFF, true},
};

static void start(const struct way *way, uint64_t fuel, uint32_t rights)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts),
					      .extension = &good,
					      .fuel = fuel,
					      .jit = way->jit,
					      .checked = way->checked,
					      .rights = rights,
					      .rights_given = true};
	struct skep_error err;

	engine = skep_engine_new(&opts, &err);
	if (!engine)
		fail_msg("%s", err.text);
}

static int tear_down(void **state)
{
	skep_engine_free(engine);
	engine = NULL;
	return 0;
}

static int bpf(int cmd, union bpf_attr attr)
{
	return skep_bpf(engine, cmd, &attr, sizeof(attr));
}

static const char *said(void)
{
	return skep_engine_error(engine)->text;
}

#define INSN(its_code, d, s, o, i)                                               \
	{                                                                        \
		.code = its_code, .dst_reg = d, .src_reg = s, .off = o, .imm = i \
	}
#define MOV(dst, value)	       INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define COPY(dst, src)	       INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD(dst, value)	       INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define CALL(id)	       INSN(BPF_JMP | BPF_CALL, 0, 0, 0, (int)(id))
#define CALL_OWN(to)	       INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, to)
#define JUMP(op, r, value, by) INSN(BPF_JMP | op | BPF_K, r, 0, by, value)
#define LOAD(dst, src, off)    INSN(BPF_LDX | BPF_DW | BPF_MEM, dst, src, off, 0)
#define LOAD32(dst, src, off)  INSN(BPF_LDX | BPF_W | BPF_MEM, dst, src, off, 0)
#define STORE(off, value)      INSN(BPF_ST | BPF_DW | BPF_MEM, 10, 0, off, value)
#define EXIT		       INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define PROGRAM(...)                              \
	((const struct bpf_insn[]){__VA_ARGS__}), \
		sizeof((const struct bpf_insn[]){__VA_ARGS__}) / sizeof(struct bpf_insn)

static int load(u32 type, const struct bpf_insn *insns, u32 count)
{
	return bpf(BPF_PROG_LOAD, (union bpf_attr){.prog_type = type,
						   .insns = ptr_to_u64(insns),
						   .insn_cnt = count,
						   .license = ptr_to_u64("none")});
}

static void refused(u32 type, const struct bpf_insn *insns, u32 count, const char *why)
{
	int fd = load(type, insns, count);

	if (fd >= 0 || !strstr(said(), why))
		fail_msg("wanted '%s', got %d '%s'", why, fd, said());
}

static u32 run(int fd)
{
	static const u8 packet[64];
	union bpf_attr attr = {.test = {.prog_fd = fd,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet)}};

	if (fd < 0)
		fail_msg("%s", said());
	assert_int_equal(skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	close(fd);
	return attr.test.retval;
}

#define XDP BPF_PROG_TYPE_XDP

/* --- functions --- */

static void test_functions(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		start(&ways[i], 0, SKEP_RIGHTS_ALL);
		/* sum of two stack words, with the engine's cookie */
		assert_int_equal(run(load(XDP, PROGRAM(STORE(-8, 7), STORE(-16, 3), COPY(1, 10),
						       ADD(1, -16), MOV(2, 16),
						       CALL(HELPER + 2), EXIT))),
				 1010);
		assert_int_equal(run(load(XDP, PROGRAM(MOV(1, 0), CALL(HELPER),
						       JUMP(BPF_JNE, 0, 0, 1), EXIT, COPY(1, 0),
						       CALL(HELPER + 1), MOV(0, 5), EXIT))),
				 5);
		assert_int_equal(token.held, 0);
		tear_down(NULL);
	}
}

static void test_prototypes(void **state)
{
	start(&ways[0], 0, SKEP_RIGHTS_ALL);
	refused(XDP, PROGRAM(MOV(1, 0), CALL(HELPER), MOV(0, 0), EXIT), "Unreleased reference");
	refused(XDP, PROGRAM(MOV(1, 0), CALL(HELPER), COPY(1, 0), CALL(HELPER + 1), EXIT),
		"Possibly NULL pointer");
	refused(XDP, PROGRAM(STORE(-8, 0), COPY(1, 10), ADD(1, -8), CALL(HELPER + 1), EXIT),
		"must point to scalar");
	refused(XDP, PROGRAM(COPY(1, 10), ADD(1, -16), MOV(2, 17), CALL(HELPER + 2), EXIT),
		"R1");
	refused(XDP, PROGRAM(MOV(1, 1), MOV(2, 8), CALL(HELPER + 2), EXIT), "R1");
	refused(XDP, PROGRAM(CALL(HELPER + 9), EXIT), "invalid func unknown#65545");
	refused(BPF_PROG_TYPE_SOCKET_FILTER,
		PROGRAM(STORE(-8, 0), COPY(1, 10), ADD(1, -8), MOV(2, 8), CALL(HELPER + 3),
			EXIT),
		"only_xdp is not allowed");
}

/* --- BTF, as libbpf looks for it --- */

static u32 type_id(const char *name)
{
	static char blob[1 << 16];
	union bpf_attr attr = {.start_id = 0};
	struct bpf_btf_info info = {.btf = ptr_to_u64(blob), .btf_size = sizeof(blob)};
	char module[64] = "";
	const struct btf_header_fields {
		u16 magic;
		u8 version, flags;
		u32 hdr_len, type_off, type_len, str_off, str_len;
	} *header = (void *)blob;
	int fd;

	info.name = ptr_to_u64(module);
	info.name_len = sizeof(module);
	assert_int_equal(skep_bpf(engine, BPF_BTF_GET_NEXT_ID, &attr, sizeof(attr)), 0);
	fd = bpf(BPF_BTF_GET_FD_BY_ID, (union bpf_attr){.btf_id = attr.next_id});
	assert_true(fd >= 0);
	assert_int_equal(bpf(BPF_OBJ_GET_INFO_BY_FD,
			     (union bpf_attr){.info = {fd, sizeof(info), ptr_to_u64(&info)}}),
			 0);
	assert_int_equal(info.kernel_btf, 1);
	assert_string_equal(module, "test");
	assert_int_equal(header->magic, 0xeb9f);
	assert_non_null(memmem(blob + header->hdr_len + header->str_off, header->str_len, name,
			       strlen(name) + 1));
	/* As programs and maps cannot use it. */
	assert_int_equal(bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = BPF_MAP_TYPE_ARRAY,
							      .key_size = 4,
							      .value_size = 4,
							      .max_entries = 1,
							      .btf_fd = fd,
							      .btf_value_type_id = 1}),
			 -EACCES);
	return (u32)fd;
}

static void test_module(void **state)
{
	start(&ways[0], 0, SKEP_RIGHTS_ALL);
	close((int)type_id("token_get"));
}

/* --- map types --- */

static int make_cell(u32 key_size)
{
	return bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = MAP_TYPE,
						    .key_size = key_size,
						    .value_size = 8,
						    .max_entries = 1});
}

static int element(int cmd, int map, u64 *key, u64 *value, u64 flags)
{
	return bpf(cmd, (union bpf_attr){.map_fd = (u32)map,
					 .key = ptr_to_u64(key),
					 .value = ptr_to_u64(value),
					 .flags = flags});
}

static void test_map_type(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		u64 key = 9, value = 40, got = 0;
		int map;

		start(&ways[i], 0, SKEP_RIGHTS_ALL);
		assert_int_equal(make_cell(4), -EINVAL);
		assert_int_equal(bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = MAP_TYPE + 1,
								      .key_size = 8,
								      .value_size = 8,
								      .max_entries = 1}),
				 -EINVAL);
		map = make_cell(8);
		assert_true(map >= 0);
		assert_int_equal(element(BPF_MAP_LOOKUP_ELEM, map, &key, &got, 0), -ENOENT);
		assert_int_equal(element(BPF_MAP_UPDATE_ELEM, map, &key, &value, 0), 0);
		assert_int_equal(element(BPF_MAP_UPDATE_ELEM, map, &key, &value, BPF_NOEXIST),
				 -EEXIST);
		assert_int_equal(element(BPF_MAP_GET_NEXT_KEY, map, NULL, &got, 0), 0);
		assert_int_equal(got, 9);
		assert_int_equal(element(BPF_MAP_GET_NEXT_KEY, map, &key, &got, 0), -ENOENT);
		assert_int_equal(element(BPF_MAP_DELETE_ELEM, map, &key, NULL, 0), -ENOTSUP);
		/* A program adds 2 to the value in place. */
		assert_int_equal(
			run(load(XDP,
				 PROGRAM(STORE(-8, 9),
					 INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD,
					      0, map),
					 INSN(0, 0, 0, 0, 0), COPY(2, 10), ADD(2, -8),
					 CALL(BPF_FUNC_map_lookup_elem), JUMP(BPF_JNE, 0, 0, 1),
					 EXIT, LOAD(1, 0, 0), ADD(1, 2),
					 INSN(BPF_STX | BPF_DW | BPF_MEM, 0, 1, 0, 0),
					 COPY(0, 1), EXIT))),
			42);
		assert_int_equal(element(BPF_MAP_LOOKUP_ELEM, map, &key, &got, 0), 0);
		assert_int_equal(got, 42);
		close(map);
		tear_down(NULL);
		assert_int_equal(cells, 0);
	}
}

/* --- hooks --- */

static int load_for(u32 attach_type, u32 btf_id, int module, const struct bpf_insn *insns,
		    u32 count)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_TRACING,
			       .expected_attach_type = attach_type,
			       .insns = ptr_to_u64(insns),
			       .insn_cnt = count,
			       .license = ptr_to_u64("none"),
			       .attach_btf_id = btf_id,
			       .attach_btf_obj_fd = (u32)module};

	return skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int attach_with(int prog, u32 attach_type, u64 number)
{
	union bpf_attr attr = {.link_create = {.prog_fd = (u32)prog,
					       .attach_type = attach_type,
					       .tracing.cookie = number}};
	int fd = prog < 0 ? prog : skep_bpf(engine, BPF_LINK_CREATE, &attr, sizeof(attr));

	close(prog);
	return fd;
}

static int attach(int prog, u32 attach_type)
{
	return attach_with(prog, attach_type, 0);
}

struct point {
	int x;
	struct point *next;
};

static void test_hooks(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		struct point second = {.x = 1}, first = {.x = -2, .next = &second};
		const uint64_t args[] = {(uintptr_t)&first, 0};
		struct skep_hook_point *ask;
		int module, link, other;
		int32_t result = 77;
		u32 id;

		start(&ways[i], 0, SKEP_RIGHT_BPF | SKEP_RIGHT_ADMIN);
		tear_down(NULL);
		start(&ways[i], 0, SKEP_RIGHTS_ALL);
		module = (int)type_id("ask");
		ask = skep_hook_find(engine, "ask");
		assert_non_null(ask);
		assert_null(skep_hook_find(engine, "other"));
		assert_false(skep_hook_is_used(ask));
		assert_int_equal(skep_hook_run(ask, args, &result), 0);
		assert_int_equal(result, 0);
		id = engine->hosted.host.hooks[0].btf_id;

		/* returns what the object's member is, where that is in the hook's range */
		link = attach(load_for(BPF_MODIFY_RETURN, id, module,
				       PROGRAM(LOAD(1, 1, 0), LOAD32(0, 1, 0),
					       JUMP(BPF_JEQ, 0, 0, 1), MOV(0, -2), EXIT)),
			      BPF_MODIFY_RETURN);
		assert_true(link >= 0);
		assert_true(skep_hook_is_used(ask));
		assert_int_equal(skep_hook_run(ask, args, &result), 0);
		assert_int_equal(result, -2);

		/* the second is not asked when the first has said something, and is when not */
		other = attach(
			load_for(BPF_MODIFY_RETURN, id, module, PROGRAM(MOV(0, 1), EXIT)),
			BPF_MODIFY_RETURN);
		assert_true(other >= 0);
		assert_int_equal(skep_hook_run(ask, args, &result), 0);
		assert_int_equal(result, -2);
		first.x = 0;
		assert_int_equal(skep_hook_run(ask, args, &result), 0);
		assert_int_equal(result, 1);

		/* a program is told how many arguments there are */
		close(other);
		other = attach(load_for(BPF_MODIFY_RETURN, id, module,
					PROGRAM(CALL(BPF_FUNC_get_func_arg_cnt),
						JUMP(BPF_JEQ, 0, 2, 2), MOV(0, 0), EXIT,
						MOV(0, 1), EXIT)),
			       BPF_MODIFY_RETURN);
		assert_true(other >= 0);
		assert_int_equal(skep_hook_run(ask, args, &result), 0);
		assert_int_equal(result, 1);

		/* and what its link says */
		close(other);
		other = attach_with(load_for(BPF_MODIFY_RETURN, id, module,
					     PROGRAM(CALL(BPF_FUNC_get_attach_cookie),
						     JUMP(BPF_JEQ, 0, 7, 2), MOV(0, 0), EXIT,
						     MOV(0, 1), EXIT)),
				    BPF_MODIFY_RETURN, 7);
		assert_true(other >= 0);
		assert_int_equal(skep_hook_run(ask, args, &result), 0);
		assert_int_equal(result, 1);

		/* what is refused: beyond the range, another kind, writing to the object */
		assert_int_equal(
			load_for(BPF_MODIFY_RETURN, id, module, PROGRAM(MOV(0, 2), EXIT)),
			-EINVAL);
		assert_int_equal(
			load_for(BPF_TRACE_FENTRY, id, module, PROGRAM(MOV(0, 0), EXIT)),
			-EINVAL);
		assert_non_null(strstr(said(), "for fmod_ret programs"));
		assert_int_equal(load_for(BPF_MODIFY_RETURN, id, 0, PROGRAM(MOV(0, 0), EXIT)),
				 -EINVAL);
		assert_int_equal(load_for(BPF_MODIFY_RETURN, id, module,
					  PROGRAM(LOAD(1, 1, 0),
						  INSN(BPF_ST | BPF_W | BPF_MEM, 1, 0, 0, 1),
						  MOV(0, 0), EXIT)),
				 -EACCES);
		close(other);
		close(link);
		close(module);
		tear_down(NULL);
	}
}

/* --- fuel --- */

/* Of two instructions each. */
#define LOOP(rounds) MOV(6, rounds), ADD(6, -1), JUMP(BPF_JNE, 6, 0, -2), MOV(0, 3), EXIT

static void test_fuel(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		start(&ways[i], 1000, SKEP_RIGHTS_ALL);
		assert_int_equal(run(load(XDP, PROGRAM(LOOP(500)))), 3);
		assert_int_equal(run(load(XDP, PROGRAM(LOOP(501)))), (u32)-EINTR);
		/* from the depth of a function */
		assert_int_equal(run(load(XDP, PROGRAM(CALL_OWN(1), EXIT, LOOP(500)))),
				 (u32)-EINTR);
		assert_int_equal(run(load(XDP, PROGRAM(CALL_OWN(1), EXIT, LOOP(490)))), 3);
		assert_int_equal(token.held, 0);
		/* it could not be stopped there */
		refused(XDP,
			PROGRAM(MOV(1, 0), CALL(HELPER), COPY(7, 0), JUMP(BPF_JNE, 7, 0, 2),
				MOV(0, 0), EXIT, MOV(6, 9), ADD(6, -1), JUMP(BPF_JNE, 6, 0, -2),
				COPY(1, 7), CALL(HELPER + 1), MOV(0, 0), EXIT),
			"a round of a loop begins while something is held");
		/* a call while something is held only counts */
		assert_int_equal(
			run(load(XDP, PROGRAM(MOV(1, 0), CALL(HELPER), COPY(7, 0),
					      JUMP(BPF_JNE, 7, 0, 2), MOV(0, 0), EXIT,
					      CALL_OWN(4), COPY(1, 7), CALL(HELPER + 1),
					      MOV(0, 8), EXIT, MOV(0, 0), EXIT))),
			8);
		assert_int_equal(token.held, 0);
		tear_down(NULL);
	}
}

/* --- what is no extension --- */

#define DECLARE(text) .sz = sizeof(struct skep_extension), .name = "x", .declarations = text
#define ONE_FUNCTION(...) \
	.functions = (const struct skep_function[]){{__VA_ARGS__}}, .function_cnt = 1
#define ONE_HOOK(...) .hooks = (const struct skep_hook[]){{__VA_ARGS__}}, .hook_cnt = 1
#define ONE_TYPE(...) \
	.map_types = (const struct skep_map_type[]){{__VA_ARGS__}}, .map_type_cnt = 1

static void test_refused(void **state)
{
	const struct {
		const char *want;
		struct skep_extension extension;
	} rows[] = {
		{"sz is 8", {.sz = 8}},
		{"a name of 1 to 55", {.sz = sizeof(good), .declarations = "int f(void);"}},
		{"a name of 1 to 55", {.sz = sizeof(good), .name = "a-b"}},
		{"line 1: a type was expected", {DECLARE("struct s { nothing x; };")}},
		{"has no name or no body",
		 {DECLARE("int f(void);"), ONE_FUNCTION(.name = "f")}},
		{"flags 0x80",
		 {DECLARE("int f(void);"),
		  ONE_FUNCTION(.name = "f", .body = sum, .flags = 0x80)}},
		{"g() is not declared",
		 {DECLARE("int f(void);"), ONE_FUNCTION(.name = "g", .body = sum)}},
		{"bpf_task_from_pid() is not declared, or the kernel has",
		 {DECLARE("int bpf_task_from_pid(void);"),
		  ONE_FUNCTION(.name = "bpf_task_from_pid", .body = sum)}},
		{"has 6 arguments, at most 5",
		 {DECLARE("int f(int a, int b, int c, int d, int e, int g);"),
		  ONE_FUNCTION(.name = "f", .body = sum)}},
		{"'a' is of a type that a host's function cannot have",
		 {DECLARE("int f(int (*a)(int b));"), ONE_FUNCTION(.name = "f", .body = sum)}},
		{"'s' is of a type",
		 {DECLARE("struct s { int x; }; int f(struct s s);"),
		  ONE_FUNCTION(.name = "f", .body = sum)}},
		{"'it__prog' is of a type",
		 {DECLARE("int f(void *it__prog);"), ONE_FUNCTION(.name = "f", .body = sum)}},
		{"returns neither",
		 {DECLARE("void *f(void);"), ONE_FUNCTION(.name = "f", .body = sum)}},
		{"acquires, and returns no structure",
		 {DECLARE("int f(void);"),
		  ONE_FUNCTION(.name = "f", .body = sum, .flags = SKEP_FN_ACQUIRE)}},
		{"may return NULL",
		 {DECLARE("int f(void);"),
		  ONE_FUNCTION(.name = "f", .body = sum, .flags = SKEP_FN_RET_NULL)}},
		{"releases, and takes",
		 {DECLARE("int f(int a);"),
		  ONE_FUNCTION(.name = "f", .body = sum, .flags = SKEP_FN_RELEASE)}},
		{"helper_id 5, which is Linux's",
		 {DECLARE("int f(int a);"),
		  ONE_FUNCTION(.name = "f", .body = sum, .helper_id = 5)}},
		{"hook h() is not declared", {DECLARE("int f(void);"), ONE_HOOK(.name = "h")}},
		{"returns neither int nor void",
		 {DECLARE("u64 h(void);"), ONE_HOOK(.name = "h")}},
		{"may return 2 to 1",
		 {DECLARE("int h(void);"), ONE_HOOK(.name = "h", .min = 2, .max = 1)}},
		{"no name, no create()",
		 {DECLARE("int h(void);"), ONE_TYPE(.type = MAP_TYPE, .name = "t")}},
		{"number 1, which is Linux's",
		 {DECLARE("int h(void);"),
		  ONE_TYPE(.type = 1, .name = "t", .create = cell_create,
			   .destroy = cell_destroy)}},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct skep_engine_opts opts = {.sz = sizeof(opts),
						      .extension = &rows[i].extension};
		struct skep_error err;

		engine = skep_engine_new(&opts, &err);
		if (engine || err.code != -EINVAL || !strstr(err.text, rows[i].want))
			fail_msg("wanted '%s', got '%s'", rows[i].want, err.text);
	}
}

static int later_count;

static void count_later(void *memory)
{
	later_count += *(int *)memory;
}

/* Before the engine is gone, what waited for its programs has been freed. */
static void test_free_later(void **state)
{
	static int one = 1;

	start(&ways[0], 0, SKEP_RIGHTS_ALL);
	assert_int_equal(skep_free_later(&one, count_later), 0);
	tear_down(NULL);
	assert_int_equal(later_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_functions, tear_down),
		cmocka_unit_test_teardown(test_prototypes, tear_down),
		cmocka_unit_test_teardown(test_module, tear_down),
		cmocka_unit_test_teardown(test_map_type, tear_down),
		cmocka_unit_test_teardown(test_hooks, tear_down),
		cmocka_unit_test_teardown(test_fuel, tear_down),
		cmocka_unit_test_teardown(test_refused, tear_down),
		cmocka_unit_test_teardown(test_free_later, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
