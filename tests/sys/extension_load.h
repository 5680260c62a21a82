/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios for one world: which extensions may be loaded. */
#ifndef SKEP_TESTS_SYS_EXTENSION_LOAD_H
#define SKEP_TESTS_SYS_EXTENSION_LOAD_H

#include "tests/sys/extension_programs.h"

/* Which prototypes may replace the function: bit n for protos[n]. */
static inline u32 replacements(struct world *world, const struct types *types, int btf,
			       int target, u32 function)
{
	u32 taken = 0;

	for (u32 i = 0; i < PROTO_CNT; i++) {
		int fd = extension_load(world, btf, types->global[i], target, function);

		if (fd < 0)
			continue;
		taken |= 1u << i;
		close(fd);
	}
	return taken;
}

static inline void prototypes(struct world *world)
{
	struct types types;
	int btf;

	types_build(&types);
	btf = types_load(world, &types);
	note(world, btf < 0 ? btf : 1, "types");
	for (u32 i = 0; i < PROTO_CNT; i++) {
		int target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, protos[i],
					 types.global[i]);

		note(world, target < 0 ? target : 1, "target %s", protos[i]);
		if (target < 0)
			continue;
		note(world, replacements(world, &types, btf, target, types.global[i]),
		     "what replaces %s", protos[i]);
		close(target);
	}
	close(btf);
}

/* Callers of the replaced function do not promise what its tags do not say. */
static inline void tags(struct world *world)
{
	struct types types;
	u32 io;
	int btf, target, tagged;

	types_build(&types);
	btf = types_load(world, &types);
	io = global_of(&types, "io");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "io", io);
	tagged = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "io", types.tagged);
	note_fd(world, extension_load(world, btf, types.tagged, target, io),
		"nonnull replaces nullable");
	note_fd(world, extension_load(world, btf, io, tagged, types.tagged),
		"nullable replaces nonnull");
	note_fd(world, extension_load(world, btf, types.tagged, tagged, types.tagged),
		"nonnull replaces nonnull");
	close(target);
	close(tagged);
	close(btf);
}

static inline void note_extension(struct world *world, const struct program *program,
				  const char *what)
{
	note_fd(world, program_load(world, program), what);
}

static inline void load_arguments(struct world *world)
{
	struct types types;
	u32 is, isi;
	int btf, target, plain, extension;
	struct program good, tried;

	types_build(&types);
	btf = types_load(world, &types);
	is = global_of(&types, "is");
	isi = global_of(&types, "isi");
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi", isi);
	good = extension_of_function(btf, isi, target, isi);
	tried = (struct program){
		.type = BPF_PROG_TYPE_SCHED_CLS, .insns = returns_7, .count = 2};
	plain = program_load(world, &tried);
	extension = program_load(world, &good);
	note(world, plain < 0 ? plain : 1, "program without types");
	note(world, extension < 0 ? extension : 1, "extension");

#define TRY(change)   \
	tried = good; \
	tried.change; \
	note_extension(world, &tried, #change)

	TRY(target = 0);
	TRY(target = 9999);
	TRY(target = btf);
	TRY(target = plain);
	TRY(target = extension);
	TRY(target_id = 0);
	TRY(target_id = is);
	TRY(target_id = types.number);
	TRY(target_id = 100000);
	TRY(target_id = types.is_static[0]);
	TRY(attach_type = 1);
	TRY(attach_type = BPF_XDP);
	TRY(flags = BPF_F_SLEEPABLE);
	TRY(function_cnt = 0);
	TRY(functions[0].type_id = is);
	TRY(functions[0].type_id = types.is_static[14]);
	TRY(type = BPF_PROG_TYPE_XDP);
	TRY(type = BPF_PROG_TYPE_SCHED_CLS);
#undef TRY

	/* The program itself. */
	tried = extension_of_function(btf, is, target, is);
	note_extension(world, &tried, "replaces the main program");
	tried.functions[0].type_id = isi;
	note_extension(world, &tried, "replaces the main program with more arguments");
	close(target);
	target = target_load(world, &types, btf, BPF_PROG_TYPE_SCHED_CLS, "isi",
			     types.is_static[14]);
	tried = extension_of_function(btf, isi, target, types.is_static[14]);
	note_extension(world, &tried, "replaces a static function");
	close(target);
	close(plain);
	close(extension);
	close(btf);
}

/* A main program whose prototype is not what it is called with. */
static inline void main_prototypes(struct world *world)
{
	struct types types;
	int btf;

	types_build(&types);
	btf = types_load(world, &types);
	for (u32 i = 0; i < PROTO_CNT; i++) {
		struct program program = {.type = BPF_PROG_TYPE_SCHED_CLS,
					  .insns = returns_7,
					  .count = 2,
					  .btf = btf,
					  .functions = {{0, types.global[i]}},
					  .function_cnt = 1};
		int target = program_load(world, &program);
		struct program extension =
			extension_of_function(btf, types.global[i], target, types.global[i]);

		note(world, target < 0 ? target : 1, "main %s", protos[i]);
		note_fd(world, program_load(world, &extension), protos[i]);
		close(target);
	}
	close(btf);
}

/* An extension has the helpers, the context and the results of its target's type. */
static inline void kinds(struct world *world)
{
	static const struct bpf_insn loads_mark[] = {LOAD32(0, 1, 8), EXIT};
	static const struct bpf_insn loads_class[] = {LOAD32(0, 1, 72), EXIT};
	static const struct bpf_insn loads_beyond[] = {LOAD32(0, 1, 200), EXIT};
	static const struct bpf_insn redirects[] = {SET(1, 1), SET(2, 0),
						    CALL_HELPER(BPF_FUNC_redirect), EXIT};
	static const struct bpf_insn pulls[] = {SET(2, 0), CALL_HELPER(BPF_FUNC_skb_pull_data),
						SET(0, 0), EXIT};
	static const struct bpf_insn returns_9[] = {SET(0, 9), EXIT};
	static const struct bpf_insn returns_context[] = {COPY(0, 1), EXIT};
	static const struct bpf_insn returns_nothing[] = {EXIT};
	static const struct bpf_insn takes_second[] = {COPY(0, 2), EXIT};
	static const struct bpf_insn changes_context[] = {ADD(1, 4), LOAD32(0, 1, 4), EXIT};
	static const struct {
		const char *name;
		const struct bpf_insn *insns;
		u32 count;
	} bodies[] = {
		{"mark", loads_mark, 2},
		{"class", loads_class, 2},
		{"beyond", loads_beyond, 2},
		{"redirect", redirects, 4},
		{"pull", pulls, 4},
		{"return 9", returns_9, 2},
		{"return the context", returns_context, 2},
		{"return nothing", returns_nothing, 1},
		{"second", takes_second, 2},
		{"moved context", changes_context, 3},
	};
	static const struct {
		u32 type, attach_type;
	} targets[] = {{BPF_PROG_TYPE_SCHED_CLS, 0},
		       {BPF_PROG_TYPE_SOCKET_FILTER, 0},
		       {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS},
		       {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS},
		       {BPF_PROG_TYPE_LWT_IN, 0},
		       {BPF_PROG_TYPE_SK_SKB, 0}};
	struct types types;
	int btf;

	types_build(&types);
	btf = types_load(world, &types);
	for (u32 i = 0; i < ARRAY_SIZE(targets); i++) {
		struct bpf_insn insns[] = {SET(2, 5), CALL_SUB(2), SET(0, 1),
					   EXIT,      SET(0, 1),   EXIT};
		u32 isi = global_of(&types, "isi");
		struct program program = {.type = targets[i].type,
					  .attach_type = targets[i].attach_type,
					  .insns = insns,
					  .count = ARRAY_SIZE(insns),
					  .btf = btf,
					  .functions = {{0, global_of(&types, "is")}, {4, isi}},
					  .function_cnt = 2};
		int target = program_load(world, &program);

		note(world, target < 0 ? target : 1, "target of type %u", targets[i].type);
		for (u32 j = 0; j < ARRAY_SIZE(bodies); j++) {
			struct program extension = extension_of_function(btf, isi, target, isi);
			int fd;

			extension.insns = bodies[j].insns;
			extension.count = bodies[j].count;
			fd = program_load(world, &extension);
			note(world, fd < 0 ? fd : 1, "type %u attach %u: %s", targets[i].type,
			     targets[i].attach_type, bodies[j].name);
			if (fd >= 0)
				close(fd);
		}
		close(target);
	}
	close(btf);
}

#endif
