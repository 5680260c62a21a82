/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios for one world: links of extensions, and what runs. */
#ifndef SKEP_TESTS_SYS_EXTENSION_RUN_H
#define SKEP_TESTS_SYS_EXTENSION_RUN_H

#include "tests/sys/extension_programs.h"

static inline void note_info(struct world *world, int fd, const char *what)
{
	struct bpf_prog_info info = {0};
	union bpf_attr attr = {
		.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = ptr_to_u64(&info)}};

	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info %s", what);
	note(world, info.type, "type %s", what);
	note(world, info.attach_btf_id, "attach_btf_id %s", what);
	note(world, info.attach_btf_obj_id != 0, "attach_btf_obj_id %s", what);
}

static inline void note_link(struct world *world, int fd, u32 target_id)
{
	struct bpf_link_info info = {0};
	union bpf_attr attr = {
		.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = ptr_to_u64(&info)}};

	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "link info");
	note(world, info.type, "link type");
	note(world, info.tracing.attach_type, "link attach type");
	note(world, info.tracing.target_obj_id != 0, "link target");
	note(world, info.tracing.target_btf_id == target_id, "link target id");
}

static inline int open_raw(struct world *world, int prog, const char *name)
{
	union bpf_attr attr = {.raw_tracepoint = {.prog_fd = prog, .name = ptr_to_u64(name)}};

	return bpf(world, BPF_RAW_TRACEPOINT_OPEN, &attr);
}

static inline void links(struct world *world)
{
	struct types types;
	u32 isi, is;
	int btf, target, other, xdp, extension, second, link;
	union bpf_attr attr;

	types_build(&types);
	btf = types_load(world, &types);
	isi = global_of(&types, "isi");
	is = global_of(&types, "is");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi", isi);
	other = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi", isi);
	xdp = target_load(world, &types, btf, BPF_PROG_TYPE_XDP, "ii", global_of(&types, "ii"));
	extension = extension_load(world, btf, isi, target, isi);
	second = extension_load(world, btf, isi, target, isi);
	note_info(world, extension, "before");
	note(world, run(world, target), "result before");
	note(world, run(world, extension), "result of the extension alone");

	note_fd(world, link_to(world, extension, target, 0), "link: target without id");
	note_fd(world, link_to(world, extension, 0, isi), "link: id without target");
	note_fd(world, link_to(world, extension, btf, isi), "link: target is no program");
	note_fd(world, link_to(world, extension, 9999, isi), "link: bad target");
	note_fd(world, link_to(world, extension, target, is), "link: another function");
	note_fd(world, link_to(world, extension, target, types.number), "link: no function");
	note_fd(world, link_to(world, extension, xdp, isi), "link: not there");
	note_fd(world, link_to(world, extension, xdp, global_of(&types, "ii")),
		"link: another kind");
	note_fd(world, open_raw(world, extension, "name"), "raw tracepoint with a name");

	link = link_to(world, extension, 0, 0);
	note(world, link < 0 ? link : 1, "link");
	note_link(world, link, isi);
	note_info(world, extension, "after");
	note(world, run(world, target), "result while replaced");
	note(world, run(world, other), "result of the other");
	note_fd(world, link_to(world, second, 0, 0), "replaced again");
	note_fd(world, link_to(world, extension, 0, 0), "linked again without a target");
	note_fd(world, link_to(world, extension, target, isi), "linked again");
	attr = (union bpf_attr){.link_update = {.link_fd = link, .new_prog_fd = second}};
	note(world, bpf(world, BPF_LINK_UPDATE, &attr), "update");
	attr = (union bpf_attr){.link_detach = {.link_fd = link}};
	note(world, bpf(world, BPF_LINK_DETACH, &attr), "detach");
	close(link);
	wait_for(world, target, 103);
	note(world, run(world, target), "result after");

	link = link_to(world, extension, other, isi);
	note(world, link < 0 ? link : 1, "link to the other");
	note(world, run(world, target), "result");
	note(world, run(world, other), "result of the other, replaced");
	close(link);
	link = open_raw(world, second, NULL);
	note(world, link < 0 ? link : 1, "raw tracepoint");
	note(world, run(world, target), "result, by raw tracepoint");
	close(target);
	note(world, run(world, second), "still there");
	close(link);
	close(other);
	close(xdp);
	close(extension);
	close(second);
	close(btf);
}

/* The program itself is replaced. */
static inline void entries(struct world *world)
{
	struct types types;
	u32 is;
	int btf, target, extension, link;

	types_build(&types);
	btf = types_load(world, &types);
	is = global_of(&types, "is");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi",
			     global_of(&types, "isi"));
	extension = extension_load(world, btf, is, target, is);
	note(world, run(world, target), "before");
	link = link_to(world, extension, 0, 0);
	note(world, link < 0 ? link : 1, "link");
	note(world, run(world, target), "replaced");
	close(link);
	wait_for(world, target, 103);
	note(world, run(world, target), "after");
	close(target);
	close(extension);
	close(btf);
}

/* Arguments arrive, and what the caller keeps in registers and on its stack stays. */
static inline void registers(struct world *world)
{
#define SUM(dst, src)  INSN(BPF_ALU64 | BPF_ADD | BPF_X, dst, src, 0, 0)
#define TIMES(dst, n)  INSN(BPF_ALU64 | BPF_MUL | BPF_K, dst, 0, 0, n)
#define LOAD(dst, off) INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, 10, off, 0)
	static const struct bpf_insn insns[] = {
		SET(6, 1000), SET(7, 2000), SET(8, 3000), SET(9, 4000), STORE(10, -8, 5000),
		SET(1, 1), SET(2, 2), SET(3, 3), SET(4, 4), SET(5, 5), CALL_SUB(7), SUM(0, 6),
		SUM(0, 7), SUM(0, 8), SUM(0, 9), LOAD(1, -8), SUM(0, 1), EXIT,
		/* the function */
		SET(0, 0), EXIT};
	static const struct bpf_insn body[] = {
		SET(6, 0),	  SET(7, 0),	      SET(8, 0),    COPY(9, 5),
		STORE(10, -8, 1), STORE(10, -512, 1), TIMES(2, 10), TIMES(3, 100),
		TIMES(4, 1000),	  COPY(0, 1),	      SUM(0, 2),    SUM(0, 3),
		SUM(0, 4),	  TIMES(9, 10000),    SUM(0, 9),    EXIT};
	struct types types;
	u32 five;
	int btf, target, extension, link;
	struct program program;

	types_build(&types);
	btf = types_load(world, &types);
	five = global_of(&types, "iiiiii");
	program = (struct program){
		.type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = insns,
		.count = ARRAY_SIZE(insns),
		.btf = btf,
		.functions = {{0, global_of(&types, "is")}, {ARRAY_SIZE(insns) - 2, five}},
		.function_cnt = 2};
	target = program_load(world, &program);
	program = extension_of_function(btf, five, target, five);
	program.insns = body;
	program.count = ARRAY_SIZE(body);
	extension = program_load(world, &program);
	note(world, run(world, target), "sum before");
	link = link_to(world, extension, 0, 0);
	note(world, link < 0 ? link : 1, "link");
	note(world, run(world, target), "sum");
	close(link);
	close(target);
	close(extension);
	close(btf);
#undef SUM
#undef TIMES
#undef LOAD
}

static inline int array_new(struct world *world)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_PROG_ARRAY,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 4};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static inline int array_set(struct world *world, int map, u32 key, int prog)
{
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&prog)};

	return bpf(world, BPF_MAP_UPDATE_ELEM, &attr);
}

static inline int array_delete(struct world *world, int map, u32 key)
{
	union bpf_attr attr = {.map_fd = map, .key = ptr_to_u64(&key)};

	return bpf(world, BPF_MAP_DELETE_ELEM, &attr);
}

static inline void prog_arrays(struct world *world)
{
	struct types types;
	u32 isi;
	int btf, target, extension, link, array;

	types_build(&types);
	btf = types_load(world, &types);
	isi = global_of(&types, "isi");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi", isi);
	extension = extension_load(world, btf, isi, target, isi);
	array = array_new(world);
	note(world, array_set(world, array, 0, extension), "an extension in an array");
	note(world, array_set(world, array, 0, target), "the target in an array");
	note(world, array_set(world, array, 1, target), "twice");
	note_fd(world, link_to(world, extension, 0, 0), "replaced while in an array");
	note(world, array_delete(world, array, 0), "taken out");
	note_fd(world, link_to(world, extension, 0, 0), "replaced while once in an array");
	note(world, array_delete(world, array, 1), "taken out");
	link = link_to(world, extension, 0, 0);
	note(world, link < 0 ? link : 1, "replaced");
	note(world, array_set(world, array, 0, target), "into an array while replaced");
	close(link);
	for (u32 i = 0; i < 100 && array_set(world, array, 0, target); i++)
		usleep(10000);
	note(world, array_set(world, array, 0, target), "into an array afterwards");

	close(array);
	close(target);
	close(extension);
	close(btf);
}

/* An extension makes tail calls as programs of its target's type do. */
static inline void tail_calls(struct world *world)
{
	const int array = array_new(world);
	const struct bpf_insn insns[] = {
		{BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_MAP_FD, 0, array},
		{0},
		SET(3, 2),
		CALL_HELPER(BPF_FUNC_tail_call),
		SET(0, 8),
		EXIT};
	struct program plain = {
		.type = BPF_PROG_TYPE_SCHED_CLS, .insns = returns_7, .count = 2};
	struct program program;
	struct types types;
	int btf, target, callee, fd, link;
	u32 isi;

	types_build(&types);
	btf = types_load(world, &types);
	isi = global_of(&types, "isi");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi", isi);
	program = extension_of_function(btf, isi, target, isi);
	program.insns = insns;
	program.count = ARRAY_SIZE(insns);
	fd = program_load(world, &program);
	note(world, fd < 0 ? fd : 1, "extension with a tail call");
	link = link_to(world, fd, 0, 0);
	note(world, link < 0 ? link : 1, "link");
	note(world, run(world, target), "a tail call to nothing");
	callee = program_load(world, &plain);
	note(world, array_set(world, array, 2, callee), "entry");
	note(world, run(world, target), "a tail call");
	note(world, run(world, target), "a tail call again");
	close(callee);
	close(link);
	close(fd);
	close(array);
	close(target);
	close(btf);
}

/* Memory that callers promise. */
static inline void memory(struct world *world)
{
	static const struct bpf_insn reads_4[] = {INSN(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2, 0),
						  LOAD32(0, 1, 4), EXIT, SET(0, 1), EXIT};
	static const struct bpf_insn reads_8[] = {INSN(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2, 0),
						  LOAD32(0, 1, 8), EXIT, SET(0, 1), EXIT};
	static const struct bpf_insn reads_unchecked[] = {LOAD32(0, 1, 4), EXIT};
	struct types types;
	u32 io;
	int btf, target, fd, link;
	struct program program;

	types_build(&types);
	btf = types_load(world, &types);
	io = global_of(&types, "io");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "io", io);
	program = extension_of_function(btf, io, target, io);
	program.insns = reads_8;
	program.count = ARRAY_SIZE(reads_8);
	note_extension(world, &program, "reads beyond");
	program.insns = reads_unchecked;
	program.count = ARRAY_SIZE(reads_unchecked);
	note_extension(world, &program, "reads without looking");
	program.insns = reads_4;
	program.count = ARRAY_SIZE(reads_4);
	fd = program_load(world, &program);
	note(world, fd < 0 ? fd : 1, "reads within");
	link = link_to(world, fd, 0, 0);
	note(world, run(world, target), "result");
	close(link);
	close(fd);
	close(target);
	close(btf);
}

#endif
