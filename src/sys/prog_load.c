/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_LOAD: checks what concerns the call, gathers what the verifier needs, and turns a
 * verified program into an object. Everything gathered is in one struct load and freed at one
 * place.
 */
#include "map/map.h"
#include "net/net.h"
#include "sys/btf_object.h"
#include "sys/compile.h"
#include "sys/map_value.h"
#include "sys/offload.h"
#include "sys/prog_details.h"
#include "sys/user_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSNS_MAX	       1000000u
#define INSNS_MAX_UNPRIVILEGED 4096u
#define DEVICE_BOUND	       (1u << 6) /* BPF_F_XDP_DEV_BOUND_ONLY */
#define MAPS_MAX	       64u	 /* of one program */
#define INFO_RECORD_MAX	       252u	 /* bytes of one func_info or line_info record */
#define LINES_MAX	       (INT32_MAX / sizeof(struct bpf_line_info)) /* more are refused */
#define LICENSE_SIZE	       128u

struct load {
	struct call *call;
	struct verify_input input;
	char name[BPF_OBJ_NAME_LEN];
	struct bpf_insn *insns;
	void *func_info, *line_info;
	struct object *btf;  /* reference; NULL */
	struct device *device;	       /* reference: that will run it; NULL: this engine */
	struct device_handle *offload; /* owned: the program there */
	struct prog *target; /* reference: of BPF_PROG_TYPE_EXT; NULL */
	struct verify_target verify_target;
	/* Every map that the instructions or fd_array name: references. */
	struct map *maps[MAPS_MAX];
	u32 map_cnt;
	u32 bound_cnt; /* the first of them: those of fd_array_cnt, bound even when unused */
};

static void load_done(struct load *load)
{
	for (u32 i = 0; i < load->map_cnt; i++)
		object_put(&load->maps[i]->object);
	object_put(load->btf);
	if (load->target)
		object_put(&load->target->object);
	device_handle_free(load->offload);
	device_put(load->device);
	free(load->insns);
	free(load->func_info);
	free(load->line_info);
}

/* --- flags, rights, sizes --- */

static const struct {
	u32 flag, verify;
} flags[] = {
	{1 << 0, VERIFY_STRICT_ALIGNMENT}, /* BPF_F_STRICT_ALIGNMENT */
	{1 << 1, VERIFY_ANY_ALIGNMENT},	   /* BPF_F_ANY_ALIGNMENT */
	{1 << 2, VERIFY_RND_HI32},	   /* BPF_F_TEST_RND_HI32 */
	{1 << 3, VERIFY_STATE_FREQ},	   /* BPF_F_TEST_STATE_FREQ */
	{1 << 4, VERIFY_SLEEPABLE},	   /* BPF_F_SLEEPABLE */
	{1 << 5, VERIFY_XDP_FRAGS},	   /* BPF_F_XDP_HAS_FRAGS */
	{DEVICE_BOUND, 0},		   /* with prog_ifindex */
	{1 << 7, 0},			   /* BPF_F_TEST_REG_INVARIANTS: skep always tests */
};

static int read_flags(struct load *load)
{
	u32 unknown = load->call->attr.v.prog_flags;

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		if (unknown & flags[i].flag) {
			unknown &= ~flags[i].flag;
			load->input.flags |= flags[i].verify;
		}
	if (load->call->engine->env.checked)
		load->input.flags |= VERIFY_REG_FACTS;
	if (load->call->engine->env.fuel)
		load->input.flags |= VERIFY_FUEL;
	return unknown ? call_fail(load->call, -EINVAL, "prog_flags %#x", unknown) : 0;
}

static int check_size(struct call *call)
{
	bool privileged = engine_may(call->engine, SKEP_RIGHT_BPF);
	u32 limit = privileged ? INSNS_MAX : INSNS_MAX_UNPRIVILEGED;
	u32 count = call->attr.v.insn_cnt;

	if (count && count <= limit)
		return 0;
	return call_fail(call, -E2BIG, "%u instructions; 1 to %u are allowed", count, limit);
}

static bool is_unprivileged_type(u32 type)
{
	return type == BPF_PROG_TYPE_SOCKET_FILTER || type == BPF_PROG_TYPE_CGROUP_SKB;
}

/* Whether the descriptor is the host's module: 0 or a negative errno. */
static int prove_module(struct call *call, int fd)
{
	const struct object *module = call->engine->hosted.module;
	struct object *object;
	int ret = 0;

	object = descriptor_object(call->engine, fd, OBJECT_BTF, NULL, &ret);
	if (!object)
		return ret;
	object_put(object);
	return object == module ? 0 : -EINVAL;
}

/* At a hook of the host one need not be who may trace. */
static bool is_for_host(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;

	return attr->prog_type == BPF_PROG_TYPE_TRACING && attr->attach_prog_fd &&
	       hosted_point(&call->engine->hosted, attr->attach_btf_id);
}

static int check_rights(struct call *call, const struct prog_row *row)
{
	u32 type = call->attr.v.prog_type;
	u32 needed = row && !is_for_host(call) ? row->rights : 0;

	if (!is_unprivileged_type(type))
		needed |= SKEP_RIGHT_BPF;
	if (engine_may(call->engine, needed))
		return 0;
	return call_fail(call, -EPERM, "a program of type %s needs rights %#x",
			 row ? row->name : "unknown", needed);
}

static enum bpf_attach_type attach_type(const union bpf_attr *attr)
{
	return prog_default_attach_type(attr->prog_type, attr->expected_attach_type);
}

static bool attaches_by_btf(u32 type)
{
	return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	       type == BPF_PROG_TYPE_STRUCT_OPS || type == BPF_PROG_TYPE_EXT;
}

/* attach_prog_fd: a program, or the types of a module, which is the host's. */
static int read_target(struct load *load)
{
	struct call *call = load->call;
	u32 fd = call->attr.v.attach_prog_fd;
	struct object *object;
	bool is_host =
		call->attr.v.prog_type != BPF_PROG_TYPE_EXT &&
		host_has_type(hosted_host(&call->engine->hosted), call->attr.v.attach_btf_id);
	int ret = 0;

	if (!fd)
		return is_host ? call_fail(call, -EINVAL, "attach_btf_id %u is of a module",
					   call->attr.v.attach_btf_id)
			       : 0;
	if (is_host && !prove_module(call, (int)fd))
		return 0;
	load->target = call_prog(call, (int)fd, &ret);
	if (!load->target) {
		object = descriptor_object(call->engine, (int)fd, OBJECT_BTF, NULL, &ret);
		object_put(object);
		return call_fail(call, object ? -ENOTSUPP : -EINVAL,
				 "attach_prog_fd %u is no program", fd);
	}
	if (load->target->offload)
		return call_fail(call, -EINVAL, "program %u runs at its device", fd);
	if (call->attr.v.prog_type == BPF_PROG_TYPE_EXT)
		return 0;
	return call_fail(call, -EINVAL, "attach_prog_fd is for programs of type ext");
}

/* A program that runs at one port only, and may ask what that knows of its packets. */
static int check_device(struct load *load)
{
	struct call *call = load->call;
	const union bpf_attr *attr = &call->attr.v;
	const u32 allowed = DEVICE_BOUND | BPF_F_XDP_HAS_FRAGS;

	if (!(attr->prog_flags & DEVICE_BOUND))
		return offload_check_load(call, &load->device);
	if (attr->prog_type != BPF_PROG_TYPE_XDP || (attr->prog_flags & ~allowed))
		return call_fail(call, -EINVAL,
				 "prog_ifindex with program type %u, prog_flags %#x",
				 attr->prog_type, attr->prog_flags);
	if (!net_has_port(call->engine->net, attr->prog_ifindex))
		return call_fail(call, -EINVAL, "no port has ifindex %u", attr->prog_ifindex);
	return 0;
}

static int check_attach(struct load *load)
{
	struct call *call = load->call;
	const union bpf_attr *attr = &call->attr.v;
	int ret;

	if (attr->attach_btf_id && !attaches_by_btf(attr->prog_type))
		return call_fail(call, -EINVAL, "attach_btf_id with a type that has none");
	ret = attr->prog_ifindex ? check_device(load) : 0;
	if (ret)
		return ret;
	if (attr->core_relo_cnt)
		return call_fail(call, -EINVAL, "CO-RE relocations are the loader's");
	if (!prog_row(attr->prog_type))
		return 0; /* said once the instructions are read */
	ret = prog_check_attach_type(attr->prog_type, attach_type(attr));
	return ret ? call_fail(call, ret, "expected_attach_type %u with program type %u",
			       attr->expected_attach_type, attr->prog_type)
		   : 0;
}

static int check_call(struct load *load)
{
	struct call *call = load->call;
	const struct prog_row *row = prog_row(call->attr.v.prog_type);
	int ret = read_flags(load);

	if (!ret)
		ret = check_size(call);
	if (!ret)
		ret = check_rights(call, row);
	if (!ret)
		ret = read_target(load);
	return ret ? ret : check_attach(load);
}

/* --- what the caller's pointers show --- */

static bool is_gpl_compatible(const char *license)
{
	static const char *const compatible[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
	};

	for (u32 i = 0; i < ARRAY_SIZE(compatible); i++)
		if (!strcmp(license, compatible[i]))
			return true;
	return false;
}

static int read_program(struct load *load)
{
	const union bpf_attr *attr = &load->call->attr.v;
	char license[LICENSE_SIZE];
	int ret = user_duplicate(attr->insns, (size_t)attr->insn_cnt * sizeof(struct bpf_insn),
				 (void **)&load->insns);

	if (ret)
		return call_fail(load->call, ret, "the instructions cannot be read");
	if (user_read_string(license, attr->license, sizeof(license)) < 0)
		return call_fail(load->call, -EFAULT, "the license cannot be read");
	load->input.gpl = is_gpl_compatible(license);
	if (!prog_row(attr->prog_type))
		return call_fail(load->call, -EINVAL, "no program type %u", attr->prog_type);
	ret = call_name(load->call, attr->prog_name, load->name);
	return ret < 0 ? ret : 0;
}

/*
 * An array of records. Those of a size that the verifier refuses are not read, and no more than
 * it needs to see that there are too many: they are ordered by instruction.
 */
static int read_records(struct load *load, const char *what, u64 from, u32 size, u32 size_min,
			u32 *count, void **out)
{
	*count = min(*count, load->call->attr.v.insn_cnt + 1);
	if (!*count || size < size_min || size > INFO_RECORD_MAX || size % 4)
		return 0;
	if (user_duplicate(from, (size_t)*count * size, out))
		return call_fail(load->call, -EFAULT, "%s cannot be read", what);
	return 0;
}

static int read_btf(struct load *load)
{
	const union bpf_attr *attr = &load->call->attr.v;
	int ret = 0;

	if (!attr->func_info_cnt && !attr->line_info_cnt)
		return 0;
	load->btf = descriptor_object(load->call->engine, attr->prog_btf_fd, OBJECT_BTF, NULL,
				      &ret);
	if (!load->btf)
		return call_fail(load->call, ret, "prog_btf_fd %u is no BTF",
				 attr->prog_btf_fd);
	if (btf_of_object(load->btf)->name)
		return call_fail(load->call, -EACCES, "prog_btf_fd %u is the kernel's BTF",
				 attr->prog_btf_fd);
	load->input.func_info_cnt = attr->func_info_cnt;
	load->input.line_info_cnt = attr->line_info_cnt;
	ret = read_records(load, "func_info", attr->func_info, attr->func_info_rec_size,
			   sizeof(struct bpf_func_info), &load->input.func_info_cnt,
			   &load->func_info);
	if (!ret && attr->line_info_cnt <= LINES_MAX)
		ret = read_records(load, "line_info", attr->line_info, attr->line_info_rec_size,
				   sizeof(struct bpf_line_info), &load->input.line_info_cnt,
				   &load->line_info);
	return ret;
}

/* --- maps --- */

/* Takes over the reference to a map, or drops it when the map is there already. */
static int keep_map(struct load *load, struct map *map)
{
	for (u32 i = 0; i < load->map_cnt; i++)
		if (load->maps[i] == map) {
			object_put(&map->object);
			return 0;
		}
	if (load->map_cnt == MAPS_MAX) {
		object_put(&map->object);
		return -E2BIG;
	}
	load->maps[load->map_cnt++] = map;
	return 0;
}

static int read_fd_array(struct load *load, u32 index, int *fd)
{
	u64 array = load->call->attr.v.fd_array;

	if (!array)
		return -EPROTO;
	return user_read(fd, array + index * sizeof(*fd), sizeof(*fd));
}

static const struct map_desc *map_by_fd(void *cookie, int fd, bool is_index, int *err)
{
	struct load *load = cookie;
	struct map *map;

	*err = is_index ? read_fd_array(load, (u32)fd, &fd) : 0;
	if (*err)
		return NULL;
	map = call_map(load->call, fd, 0, err);
	if (!map)
		return NULL;
	*err = keep_map(load, map);
	return *err ? NULL : &map->desc;
}

static int module_at(void *cookie, u32 index)
{
	struct load *load = cookie;
	int fd, ret = read_fd_array(load, index, &fd);

	return ret ? ret : prove_module(load->call, fd);
}

static const struct btf_view *kernel_btf(void *cookie)
{
	struct load *load = cookie;

	return kernel_btf_view(&load->call->engine->kernel_btf);
}

/* fd_array with a count: all its maps belong to the program; BTF may be there too. */
static int bind_fd_array(struct load *load)
{
	u32 count = load->call->attr.prog_load.fd_array_cnt;
	int ret = 0, fd;

	if (count >= UINT32_MAX / sizeof(fd))
		return call_fail(load->call, -EINVAL, "fd_array_cnt %u", count);
	for (u32 i = 0; i < count && !ret; i++) {
		struct object *object;

		ret = read_fd_array(load, i, &fd);
		if (ret)
			break;
		object = descriptor_any(load->call->engine, fd, NULL, &ret);
		if (!object)
			break;
		if (object->kind == OBJECT_MAP)
			ret = keep_map(load, map_of_object(object));
		else if (object->kind != OBJECT_BTF)
			ret = -EINVAL;
		if (object->kind != OBJECT_MAP)
			object_put(object);
	}
	load->bound_cnt = load->map_cnt;
	return ret ? call_fail(load->call, ret, "fd_array: %s", strerror(-ret)) : 0;
}

/* --- the verifier --- */

static void fill_input(struct load *load)
{
	const union bpf_attr *attr = &load->call->attr.v;
	struct verify_input *input = &load->input;

	input->insns = load->insns;
	input->insn_cnt = attr->insn_cnt;
	input->type = attr->prog_type;
	input->attach_type = attach_type(attr);
	input->rights = load->call->engine->rights;
	input->name = load->name;
	input->map_by_fd = map_by_fd;
	input->kernel_btf = kernel_btf;
	input->host = hosted_host(&load->call->engine->hosted);
	input->prove_module = module_at;
	input->has_helper = load->call->engine->verify_only ? NULL : prog_has_helper;
	input->has_kfunc = load->call->engine->verify_only ? NULL : prog_has_kfunc;
	input->cookie = load;
	input->btf = load->btf ? btf_of_object(load->btf)->view : NULL;
	input->func_info = load->func_info;
	input->func_info_rec_size = attr->func_info_rec_size;
	input->line_info = load->line_info;
	input->line_info_rec_size = attr->line_info_rec_size;
	input->attach_btf_id = attr->attach_btf_id;
	if (attr->prog_ifindex && !load->device)
		input->flags |= VERIFY_DEVICE_BOUND;
	if (load->target) {
		load->verify_target = prog_as_target(load->target);
		input->target = &load->verify_target;
	}
	input->log_level = attr->log_level;
}

static int verify_and_explain(struct load *load, struct verified **out)
{
	struct skep_engine *engine = load->call->engine;
	struct explanation *explanation = NULL;
	int ret;

	load->input.explanation = engine->explain ? &explanation : NULL;
	ret = verify_program(&load->input, out, load->call->err);
	if (explanation)
		engine->explain(engine->explain_cookie, explanation_face(explanation));
	return ret;
}

/*
 * Facts of all registers keep states apart that are alike otherwise. A program which is too
 * complex with them runs without: its accesses are checked all the same.
 */
static int verify_to_check(struct load *load, struct verified **out)
{
	int ret = verify_and_explain(load, out);

	if (ret != -E2BIG || !(load->input.flags & VERIFY_REG_FACTS))
		return ret;
	load->input.flags &= ~(u32)VERIFY_REG_FACTS;
	if (load->input.log)
		strbuf_clear(load->input.log);
	error_clear(load->call->err);
	return verify_and_explain(load, out);
}

/* What belongs to a device must be all of it: Linux compares each map with the program, too. */
static int offload_program(struct load *load, const struct verified *verified,
			   struct user_log *log)
{
	const struct offload_load what = {.device = load->device,
					  .verified = verified,
					  .insns = load->insns,
					  .flags = load->call->attr.v.prog_flags,
					  .is_gpl = load->input.gpl,
					  .name = load->name};
	int ret = offload_check_maps(load->call, &what);

	if (!ret && load->device)
		ret = offload_load(load->call, &what, &load->offload);
	if (ret && user_log_text(log))
		strbuf_addf(user_log_text(log), "%s\n", load->call->err->text);
	return ret;
}

static int verify(struct load *load, struct verified **out)
{
	const union bpf_attr *attr = &load->call->attr.v;
	struct verified *verified = NULL;
	struct user_log log;
	int ret =
		user_log_init(&log, load->call, attr->log_level, attr->log_buf, attr->log_size);

	if (ret)
		return ret;
	fill_input(load);
	load->input.log = user_log_text(&log);
	ret = bind_fd_array(load);
	if (!ret)
		ret = verify_to_check(load, &verified);
	if (!ret)
		ret = offload_program(load, verified, &log);
	ret = user_log_done(&log, load->call, offsetof(struct attr_prog_load, log_true_size),
			    ret);
	if (!ret && !arena_adopt(&verified->arena, load->insns))
		ret = -ENOMEM;
	if (ret) {
		verified_free(verified);
		return ret;
	}
	load->insns = NULL; /* now the verified program's */
	*out = verified;
	return 0;
}

/* --- the object --- */

/* The records that Linux knows, without what a newer caller appended to each. */
static void *trim_records(struct arena *arena, const void *records, u32 count, u32 size,
			  u32 size_known)
{
	u8 *trimmed = arena_array(arena, count, size_known);

	for (u32 i = 0; trimmed && i < count; i++)
		memcpy(trimmed + (size_t)i * size_known, (const u8 *)records + (size_t)i * size,
		       size_known);
	return trimmed;
}

static int add_details(const struct load *load, struct verified *verified,
		       struct prog_details **out)
{
	const union bpf_attr *attr = &load->call->attr.v;
	struct arena *arena = &verified->arena;
	struct prog_details *details = arena_alloc(arena, sizeof(*details));

	if (!details)
		return -ENOMEM;
	details->prog_flags = attr->prog_flags;
	details->target_attach_type = load->target ? load->target->attach_type : 0;
	details->func_info_cnt = load->func_info ? attr->func_info_cnt : 0;
	details->line_info_cnt = load->line_info ? attr->line_info_cnt : 0;
	details->func_info =
		trim_records(arena, load->func_info, details->func_info_cnt,
			     attr->func_info_rec_size, sizeof(*details->func_info));
	details->line_info =
		trim_records(arena, load->line_info, details->line_info_cnt,
			     attr->line_info_rec_size, sizeof(*details->line_info));
	if ((details->func_info_cnt && !details->func_info) ||
	    (details->line_info_cnt && !details->line_info))
		return -ENOMEM;
	*out = details;
	return 0;
}

/* prog_new() takes the maps in the verified program's order. */
static int make_prog(struct load *load, struct verified *verified, struct prog **out)
{
	struct map **maps = calloc(verified->map_cnt + 1, sizeof(*maps));
	const struct prog_types types = {load->call->engine->env.own, load->btf,
					 load->input.btf};
	struct prog_details *details;
	int ret = maps ? add_details(load, verified, &details) : -ENOMEM;

	if (ret) {
		free(maps);
		verified_free(verified);
		return ret;
	}
	for (u32 i = 0; i < verified->map_cnt; i++)
		maps[i] = map_of_desc(verified->maps[i]);
	ret = load->call->engine->verify_only || load->offload
		      ? prog_new_verified(verified, maps, out, load->call->err)
		      : prog_new(verified, maps, load->btf ? &types : NULL, out,
				 load->call->err);
	free(maps);
	if (ret)
		return ret;
	(*out)->sys = details;
	return 0;
}

static void fill_prog(struct load *load, struct prog *prog)
{
	memcpy(prog->name, load->name, sizeof(prog->name));
	prog->gpl = load->input.gpl;
	prog->uid = getuid();
	prog->attach_btf_id = load->input.attach_btf_id;
	prog->bound_ifindex = load->call->attr.v.prog_ifindex;
	prog->offload = load->offload;
	load->offload = NULL;
	if (load->btf)
		prog->btf = object_get(load->btf);
	if (load->target)
		object_get(&load->target->object);
	prog->target = load->target;
}

/* The prog arrays that it tail-calls through must take programs like it. */
static int enter_owners(struct load *load, struct prog *prog)
{
	int ret = 0;

	for (u32 i = 0; i < prog->map_cnt && !ret; i++)
		ret = owner_admit_user(prog->maps[i], prog);
	return ret ? call_fail(load->call, ret, "a prog array holds programs of another kind")
		   : 0;
}

static int bind_unused(struct load *load, struct prog *prog)
{
	int ret = 0;

	for (u32 i = 0; i < load->bound_cnt && !ret; i++)
		ret = prog_bind(load->call->engine, prog, load->maps[i]);
	return ret;
}

static int build(struct load *load, struct prog **out)
{
	struct verified *verified;
	int ret = verify(load, &verified);

	if (ret)
		return ret;
	ret = make_prog(load, verified, out);
	if (ret)
		return ret;
	fill_prog(load, *out);
	if (!(*out)->offload)
		compile_prog(load->call->engine, *out);
	ret = enter_owners(load, *out);
	if (!ret)
		ret = bind_unused(load, *out);
	if (ret)
		object_put(&(*out)->object);
	return ret;
}

int command_prog_load(struct call *call)
{
	struct load load = {.call = call};
	struct prog *prog;
	int ret = check_call(&load);

	if (!ret)
		ret = read_program(&load);
	if (!ret)
		ret = read_btf(&load);
	if (!ret)
		ret = build(&load, &prog);
	load_done(&load);
	if (ret)
		return ret;
	descriptors_reap(call->engine);
	return call_hand_out(call, &prog->object, DESCRIPTOR_RDWR);
}
