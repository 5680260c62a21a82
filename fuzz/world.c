/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/world.h"

#include "isa/isa.h"
#include "map/map.h"
#include "sys/btf_object.h"
#include "sys/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLOTS	    2 /* the thread that judges, and the one of timers */
#define ARENA_START (1ull << 44)

static const struct map_row {
	u32 type, key, value, entries;
	enum fuzz_type of;
} rows[GENERATED_MAPS] = {
#define MAP(name, type, key, value, entries, of) {type, key, value, entries, of},
#include "fuzz/maps.def"
#undef MAP
};

static const char *const kfunc_names[GENERATED_KFUNCS] = {
#define KFUNC(name) #name,
#include "fuzz/kfuncs.def"
#undef KFUNC
};

int world_linux_bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

/* A line of the program's, or of the checked interpreter. On any thread. */
static void trace(void *cookie, const char *text, size_t length)
{
	static const char prefix[] = "checked interpreter:";
	struct world *world = cookie;

	if (length < sizeof(prefix) || memcmp(text, prefix, sizeof(prefix) - 1))
		return;
	pthread_mutex_lock(&world->lock);
	strbuf_addf(&world->violation, "%.*s", (int)length - 1, text);
	pthread_mutex_unlock(&world->lock);
}

bool world_violated(struct world *world, struct strbuf *text)
{
	bool violated;

	pthread_mutex_lock(&world->lock);
	violated = world->violation.length;
	if (violated)
		strbuf_adds(text, strbuf_text(&world->violation));
	strbuf_clear(&world->violation);
	pthread_mutex_unlock(&world->lock);
	return violated;
}

/* --- maps and types --- */

static union bpf_attr describe_types(const void *types, u32 size)
{
	return (union bpf_attr){.btf = ptr_to_u64(types), .btf_size = size};
}

static union bpf_attr describe_map(const struct map_row *row, int types)
{
	union bpf_attr attr = {.map_type = row->type,
			       .key_size = row->key,
			       .value_size = row->value,
			       .max_entries = row->entries};

	if (row->of) {
		attr.btf_fd = (u32)types;
		attr.btf_key_type_id = FUZZ_U32;
		attr.btf_value_type_id = row->of;
	}
	if (row->type == BPF_MAP_TYPE_ARENA) {
		attr.map_flags = BPF_F_MMAPABLE;
		attr.map_extra = ARENA_START;
	}
	return attr;
}

static bool open_linux(struct world *world, const void *types, u32 size)
{
	union bpf_attr attr = describe_types(types, size);

	world->linux_types = world_linux_bpf(BPF_BTF_LOAD, &attr);
	for (u32 i = 0; i < GENERATED_MAPS; i++) {
		attr = describe_map(&rows[i], world->linux_types);
		world->linux_maps[i] = world_linux_bpf(BPF_MAP_CREATE, &attr);
		if (world->linux_maps[i] < 0)
			return false;
	}
	return world->linux_types >= 0;
}

static bool open_skep(struct world *world, const void *types, u32 size)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts),
					      .slots = SLOTS,
					      .checked = true,
					      .trace = trace,
					      .trace_cookie = world};
	union bpf_attr attr = describe_types(types, size);
	int err = 0;

	world->engine = skep_engine_new(&opts, NULL);
	if (!world->engine)
		return false;
	world->skep_types = skep_bpf(world->engine, BPF_BTF_LOAD, &attr, sizeof(attr));
	world->types =
		descriptor_object(world->engine, world->skep_types, OBJECT_BTF, NULL, &err);
	for (u32 i = 0; world->types && i < GENERATED_MAPS; i++) {
		struct object *map;

		attr = describe_map(&rows[i], world->skep_types);
		world->skep_maps[i] =
			skep_bpf(world->engine, BPF_MAP_CREATE, &attr, sizeof(attr));
		map = descriptor_object(world->engine, world->skep_maps[i], OBJECT_MAP, NULL,
					&err);
		if (!map)
			return false;
		world->maps[i] = container_of(map, struct map, object);
	}
	return world->types;
}

static void find_kfuncs(struct world *world)
{
	world->kernel = kernel_btf_view(&world->engine->kernel_btf);
	for (u32 i = 0; world->kernel && i < GENERATED_KFUNCS; i++)
		world->kfuncs[i] = btf_find(world->kernel, kfunc_names[i], BTF_KIND_FUNC);
}

bool world_open(struct world *world, bool *with_linux)
{
	u32 size;
	void *types = fuzz_types(&size);
	bool is_open;

	pthread_mutex_init(&world->lock, NULL);
	strbuf_init(&world->violation);
	is_open = types && open_skep(world, types, size);
	if (is_open) {
		world->types_view = btf_of_object(world->types)->view;
		find_kfuncs(world);
		*with_linux = *with_linux && open_linux(world, types, size);
	}
	free(types);
	return is_open;
}

void world_close(struct world *world)
{
	for (u32 i = 0; i < GENERATED_MAPS; i++)
		object_put(&world->maps[i]->object);
	object_put(world->types);
	skep_engine_free(world->engine);
	strbuf_done(&world->violation);
}

/* --- names --- */

void world_name_kfuncs(const struct world *world, struct generated *program)
{
	for (u32 i = 0; i < program->count; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL) &&
		    insn->src_reg == BPF_PSEUDO_KFUNC_CALL && insn->imm >= 0 &&
		    insn->imm < GENERATED_KFUNCS)
			insn->imm = (s32)world->kfuncs[insn->imm];
		i += insn_is_wide(insn);
	}
}

void world_name_linux_maps(const struct world *world, struct generated *program)
{
	for (u32 i = 0; i < program->count; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (insn_is_wide(insn) && insn->src_reg == BPF_PSEUDO_MAP_FD)
			insn->imm = insn->imm >= 0 && insn->imm < GENERATED_MAPS
					    ? world->linux_maps[insn->imm]
					    : -1;
	}
}

u32 world_funcs(struct world *world, const struct generated *program)
{
	for (u32 i = 0; i < program->func_cnt; i++)
		world->funcs[i] = (struct bpf_func_info){.insn_off = program->funcs[i].insn,
							 .type_id = program->funcs[i].type};
	return program->func_cnt;
}

static const struct map_desc *map_by_index(void *cookie, int fd, bool is_index, int *err)
{
	struct world *world = cookie;

	if (is_index || fd < 0 || fd >= GENERATED_MAPS) {
		*err = -EBADF;
		return NULL;
	}
	return &world->maps[fd]->desc;
}

static const struct btf_view *kernel_types(void *cookie)
{
	return ((struct world *)cookie)->kernel;
}

struct verify_input world_input(struct world *world, const struct generated *program)
{
	struct verify_input input = {
		.insns = program->insns,
		.insn_cnt = program->count,
		.type = program->type,
		.flags = program->is_sleepable ? VERIFY_SLEEPABLE : 0,
		.gpl = true,
		.map_by_fd = map_by_index,
		.kernel_btf = kernel_types,
		.cookie = world,
	};

	input.func_info_cnt = world_funcs(world, program);
	if (input.func_info_cnt) {
		input.btf = world->types_view;
		input.func_info = world->funcs;
		input.func_info_rec_size = sizeof(*world->funcs);
	}
	return input;
}
