/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hosts ask a device for, each with calls of bpf(2) on the device's engine. Nothing that
 * comes is believed: handles are the host's own, lengths fit, and instructions name maps by
 * their index only.
 */
#include "base/error.h"
#include "catalog/helper.h"
#include "catalog/map_type.h"
#include "sys/command.h"
#include "sys/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define refuse(host, code, ...) error_set(&(host)->err, SKEP_STAGE_CALL, code, __VA_ARGS__)

/* --- what it lacks --- */

static int set_without(struct skep_device *device, const char *name, struct skep_error *err)
{
	const struct helper_row *helper =
		helper_row_by_name(strncmp(name, "bpf_", 4) ? name : name + 4);
	const struct map_type_row *map = map_type_row_by_name(name);

	if (helper && helper->id < HELPER_WORDS * 64)
		device->no_helpers[helper->id / 64] |= 1ull << helper->id % 64;
	else if (map && map->type < 64)
		device->no_maps |= 1ull << map->type;
	else
		return error_set(err, SKEP_STAGE_CALL, -EINVAL,
				 "without '%s': expected the name of a helper or map type",
				 name);
	return 0;
}

int device_read_without(struct skep_device *device, const char *names, struct skep_error *err)
{
	char *copy = names ? strdup(names) : NULL, *rest = copy, *name;
	int code = 0;

	if (names && !copy)
		return -ENOMEM;
	while (!code && (name = strsep(&rest, ",")))
		code = set_without(device, name, err);
	free(copy);
	return code;
}

/* --- handles --- */

/* NULL with host->err: the host has no such thing. */
static struct handle *find_handle(struct device_host *host, u32 number, enum handle_kind kind)
{
	struct handle *handle = number - 1 < HANDLES_MAX ? &host->handles[number - 1] : NULL;

	if (handle && handle->kind == kind)
		return handle;
	refuse(host, -EBADF, "%s %u is not there", kind == HANDLE_MAP ? "map" : "program",
	       number);
	return NULL;
}

static int keep_handle(struct device_host *host, const struct handle *handle, u32 *number)
{
	for (u32 i = 0; i < HANDLES_MAX; i++)
		if (host->handles[i].kind == HANDLE_NONE) {
			host->handles[i] = *handle;
			*number = i + 1;
			return 0;
		}
	close(handle->fd);
	return refuse(host, -ENOSPC, "a host has %u maps and programs at most", HANDLES_MAX);
}

/* A call of bpf(2), whose words become the answer's. */
static int call(struct device_host *host, int command, union attr *attr)
{
	struct skep_engine *engine = host->device->engine;
	int ret = skep_bpf(engine, command, &attr->v, sizeof(*attr));

	if (ret < 0)
		host->err = *skep_engine_error(engine);
	return ret;
}

/* --- hello --- */

static int serve_hello(struct device_host *host, const struct request *request,
		       struct answer *answer)
{
	const struct device_hello *head = request->head;
	struct device_about about = {.magic = DEVICE_MAGIC, .version = DEVICE_VERSION};
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	struct utsname name;

	if (head->magic != DEVICE_MAGIC)
		return refuse(host, -EPROTO, "this is no host of skep");
	if (head->version != DEVICE_VERSION)
		return refuse(host, -EPROTONOSUPPORT,
			      "it speaks version %u of the protocol, the host %u",
			      DEVICE_VERSION, head->version);
	host->is_greeted = true;
	if (!uname(&name))
		snprintf(about.machine, sizeof(about.machine), "%.15s", name.machine);
	skep_port_stats(host->device->engine, host->device->ifindex, &stats);
	memcpy(about.port, stats.spec, sizeof(about.port));
	memcpy(answer->bytes, &about, sizeof(about));
	answer->size = sizeof(about);
	return 0;
}

/* --- maps --- */

static int check_map_type(struct device_host *host, u32 type)
{
	const struct map_type_row *row = map_type_row(type);

	if (type != BPF_MAP_TYPE_ARRAY && type != BPF_MAP_TYPE_HASH)
		return refuse(host, -EINVAL, "devices have maps of type array and hash only");
	return host->device->no_maps >> type & 1
		       ? refuse(host, -EOPNOTSUPP, "it has no maps of type %s", row->name)
		       : 0;
}

static int answer_made(struct device_host *host, const struct handle *handle, u32 code_size,
		       struct answer *answer)
{
	struct device_made made = {.code_size = code_size};
	int ret = keep_handle(host, handle, &made.handle);

	memcpy(answer->bytes, &made, sizeof(made));
	answer->size = sizeof(made);
	return ret;
}

static int serve_map_create(struct device_host *host, const struct request *request,
			    struct answer *answer)
{
	const struct device_map_create *head = request->head;
	union attr attr = {.v = {.map_type = head->type,
				 .key_size = head->key_size,
				 .value_size = head->value_size,
				 .max_entries = head->max_entries,
				 .map_flags = head->flags}};
	struct handle handle = {
		.kind = HANDLE_MAP, .key_size = head->key_size, .value_size = head->value_size};
	int ret = check_map_type(host, head->type);

	if (ret)
		return ret;
	if (head->key_size > DEVICE_KEY_MAX || head->value_size > DEVICE_VALUE_MAX)
		return refuse(host, -E2BIG, "keys have at most %u bytes, values %u",
			      DEVICE_KEY_MAX, DEVICE_VALUE_MAX);
	memcpy(attr.v.map_name, head->name, sizeof(head->name));
	handle.fd = call(host, BPF_MAP_CREATE, &attr);
	return handle.fd < 0 ? handle.fd : answer_made(host, &handle, 0, answer);
}

/* The map, when there are `size` bytes behind the head; NULL: host->err says why not. */
static struct handle *map_of(struct device_host *host, u32 number,
			     const struct request *request, bool has_value)
{
	struct handle *map = find_handle(host, number, HANDLE_MAP);
	const size_t size = map ? map->key_size + (has_value ? map->value_size : 0) : 0;

	if (!map || request->size == size)
		return map;
	refuse(host, -EPROTO, "%zu bytes of key and value; the map has %zu", request->size,
	       size);
	return NULL;
}

static int serve_map_lookup(struct device_host *host, const struct request *request,
			    struct answer *answer)
{
	const struct device_map_lookup *head = request->head;
	const struct handle *map = map_of(host, head->map, request, false);

	if (!map)
		return host->err.code;
	answer->size = map->value_size;
	return call(host, BPF_MAP_LOOKUP_ELEM,
		    &(union attr){.v = {.map_fd = map->fd,
					.key = ptr_to_u64(request->more),
					.value = ptr_to_u64(answer->bytes),
					.flags = head->flags}});
}

static int serve_map_update(struct device_host *host, const struct request *request,
			    struct answer *answer)
{
	const struct device_map_update *head = request->head;
	const struct handle *map = map_of(host, head->map, request, true);

	if (!map)
		return host->err.code;
	return call(host, BPF_MAP_UPDATE_ELEM,
		    &(union attr){.v = {.map_fd = map->fd,
					.key = ptr_to_u64(request->more),
					.value = ptr_to_u64(request->more + map->key_size),
					.flags = head->flags}});
}

static int serve_map_delete(struct device_host *host, const struct request *request,
			    struct answer *answer)
{
	const struct device_map_delete *head = request->head;
	const struct handle *map = map_of(host, head->map, request, false);

	if (!map)
		return host->err.code;
	return call(host, BPF_MAP_DELETE_ELEM,
		    &(union attr){.v = {.map_fd = map->fd, .key = ptr_to_u64(request->more)}});
}

static int serve_map_next_key(struct device_host *host, const struct request *request,
			      struct answer *answer)
{
	const struct device_map_next_key *head = request->head;
	const struct handle *map = request->size ? map_of(host, head->map, request, false)
						 : find_handle(host, head->map, HANDLE_MAP);

	if (!map)
		return host->err.code;
	answer->size = map->key_size;
	return call(host, BPF_MAP_GET_NEXT_KEY,
		    &(union attr){.v = {.map_fd = map->fd,
					.key = request->size ? ptr_to_u64(request->more) : 0,
					.next_key = ptr_to_u64(answer->bytes)}});
}

/* --- programs --- */

static int check_call(struct device_host *host, const struct bpf_insn *insn, u32 at)
{
	const u32 id = (u32)insn->imm;
	const struct helper_row *row = insn->src_reg ? NULL : helper_row(id);

	if (insn->src_reg > BPF_PSEUDO_CALL)
		return refuse(
			host, -EINVAL,
			"instruction %u: kernel functions are not for a device's programs", at);
	if (!row || id >= HELPER_WORDS * 64 ||
	    !(host->device->no_helpers[id / 64] >> id % 64 & 1))
		return 0;
	return refuse(host, -EINVAL, "instruction %u: it has no helper bpf_%s()", at,
		      row->name);
}

/* Descriptors of this process are not the host's to name. */
static int check_load_imm64(struct device_host *host, const struct bpf_insn *insn, u32 at,
			    u32 maps)
{
	const bool is_map = insn->src_reg == BPF_PSEUDO_MAP_IDX;

	if (is_map ? (u32)insn->imm < maps : !insn->src_reg || insn->src_reg == BPF_PSEUDO_FUNC)
		return 0;
	return refuse(host, -EINVAL, "instruction %u: source %u, operand %d of a 64-bit load",
		      at, insn->src_reg, insn->imm);
}

static int check_insns(struct device_host *host, const struct bpf_insn *insns, u32 count,
		       u32 maps)
{
	int ret = 0;

	for (u32 i = 0; i < count && !ret; i++) {
		const bool is_wide = insns[i].code == (BPF_LD | BPF_IMM | BPF_DW);

		if (insns[i].code == (BPF_JMP | BPF_CALL))
			ret = check_call(host, &insns[i], i);
		else if (is_wide)
			ret = check_load_imm64(host, &insns[i], i, maps);
		i += is_wide;
	}
	return ret;
}

static int find_maps(struct device_host *host, const u8 *numbers, u32 count, int *fds)
{
	for (u32 i = 0; i < count; i++) {
		const struct handle *map;
		u32 number;

		memcpy(&number, numbers + i * sizeof(number), sizeof(number));
		map = find_handle(host, number, HANDLE_MAP);
		if (!map)
			return -EBADF;
		fds[i] = map->fd;
	}
	return 0;
}

static int read_info(struct device_host *host, int fd, struct bpf_prog_info *info)
{
	union attr attr = {.v.info = {.bpf_fd = (u32)fd,
				      .info_len = sizeof(*info),
				      .info = ptr_to_u64(info)}};

	*info = (struct bpf_prog_info){};
	return call(host, BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static int load(struct device_host *host, const struct device_prog_load *head, const int *maps,
		const struct bpf_insn *insns, struct answer *answer)
{
	union attr attr = {.v = {.prog_type = head->type,
				 .expected_attach_type = head->attach_type,
				 .insns = ptr_to_u64(insns),
				 .insn_cnt = head->insn_count,
				 .license = ptr_to_u64(head->is_gpl ? "GPL" : ""),
				 .fd_array = ptr_to_u64(maps)}};
	struct handle handle = {.kind = HANDLE_PROG};
	struct bpf_prog_info info;
	int ret;

	memcpy(attr.v.prog_name, head->name, sizeof(head->name));
	handle.fd = call(host, BPF_PROG_LOAD, &attr);
	if (handle.fd < 0)
		return handle.fd;
	ret = read_info(host, handle.fd, &info);
	if (ret) {
		close(handle.fd);
		return ret;
	}
	handle.prog_id = info.id;
	return answer_made(host, &handle, info.jited_prog_len, answer);
}

static int serve_prog_load(struct device_host *host, const struct request *request,
			   struct answer *answer)
{
	const struct device_prog_load *head = request->head;
	const u64 map_bytes = head->map_count * (u64)sizeof(u32);
	struct bpf_insn *insns;
	int maps[DEVICE_MAPS_MAX], ret;

	if (head->map_count > DEVICE_MAPS_MAX || head->insn_count > DEVICE_INSNS_MAX ||
	    request->size != map_bytes + head->insn_count * (u64)sizeof(*insns))
		return refuse(host, -EPROTO, "%u maps and %u instructions in %zu bytes",
			      head->map_count, head->insn_count, request->size);
	if (head->type != BPF_PROG_TYPE_XDP || head->flags)
		return refuse(host, -EINVAL, "type %u, flags %#x: devices run XDP programs",
			      head->type, head->flags);
	ret = find_maps(host, request->more, head->map_count, maps);
	if (ret)
		return ret;
	insns = calloc(head->insn_count + 1, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	memcpy(insns, request->more + map_bytes, head->insn_count * sizeof(*insns));
	ret = check_insns(host, insns, head->insn_count, head->map_count);
	ret = ret ?: load(host, head, maps, insns, answer);
	free(insns);
	return ret;
}

/* With the device's lock held. What the engine counts since a program was attached, with those
 * that it replaced. */
static struct device_prog_counts count_link(const struct skep_device *device, u32 prog_id)
{
	struct skep_attached attached = {.sz = sizeof(attached)};
	struct device_prog_counts counts = {};

	for (u32 n = 0; !skep_attached(device->engine, device->ifindex, n, -1, &attached);
	     n++) {
		if (attached.prog_id != prog_id)
			continue;
		for (u32 i = 0; i < SKEP_RESULTS; i++) {
			counts.packets += attached.packets[i];
			counts.bytes += attached.bytes[i];
		}
		counts.run_ns += attached.ns;
	}
	return counts;
}

static bool is_attached(const struct device_host *host, u32 prog)
{
	return host->device->attached.host == host && host->device->attached.prog == prog;
}

/* The same: adds what is new of the attached program to what its handle keeps. */
static void keep_counts(struct device_host *host)
{
	struct skep_device *device = host->device;
	struct handle *prog = &host->handles[device->attached.prog - 1];
	const struct device_prog_counts now = count_link(device, prog->prog_id);
	const struct device_prog_counts before = device->attached.before;

	prog->counts.packets += now.packets - before.packets;
	prog->counts.bytes += now.bytes - before.bytes;
	prog->counts.run_ns += now.run_ns - before.run_ns;
	device->attached.before = now;
}

static int serve_prog_stats(struct device_host *host, const struct request *request,
			    struct answer *answer)
{
	const struct device_prog_stats *head = request->head;
	const struct handle *prog = find_handle(host, head->prog, HANDLE_PROG);

	if (!prog)
		return host->err.code;
	pthread_mutex_lock(&host->device->lock);
	if (is_attached(host, head->prog))
		keep_counts(host);
	pthread_mutex_unlock(&host->device->lock);
	memcpy(answer->bytes, &prog->counts, sizeof(prog->counts));
	answer->size = sizeof(prog->counts);
	return 0;
}

/* --- what is attached; with the device's lock held --- */

/* Its counts end with the link: they are kept. */
static void detach(struct skep_device *device)
{
	union attr attr = {.v.link_detach.link_fd = (u32)device->attached.link};

	keep_counts(device->attached.host);
	skep_bpf(device->engine, BPF_LINK_DETACH, &attr.v, sizeof(attr));
	close(device->attached.link);
	device->attached.link = -1;
	device->attached.host = NULL;
}

static int attach_first(struct device_host *host, const struct handle *prog, u32 number)
{
	struct skep_device *device = host->device;
	union attr attr = {.v.link_create = {.prog_fd = (u32)prog->fd,
					     .target_ifindex = (u32)device->ifindex,
					     .attach_type = BPF_XDP}};
	int link;

	if (device->attached.link >= 0)
		return refuse(host, -EBUSY, "it runs a program already%s",
			      device->attached.host == host ? "" : ", another host's");
	link = call(host, BPF_LINK_CREATE, &attr);
	if (link < 0)
		return link;
	device->attached.link = link;
	device->attached.host = host;
	device->attached.prog = number;
	device->attached.before = (struct device_prog_counts){};
	return device_move(device);
}

static int attach_next(struct device_host *host, const struct handle *prog, u32 number, u32 old)
{
	struct skep_device *device = host->device;
	union attr attr = {.v.link_update = {.link_fd = (u32)device->attached.link,
					     .new_prog_fd = (u32)prog->fd}};
	int ret;

	if (device->attached.host != host || device->attached.prog != old)
		return refuse(host, -ENOENT, "program %u is not attached", old);
	keep_counts(host);
	ret = call(host, BPF_LINK_UPDATE, &attr);
	if (ret)
		return ret;
	device->attached.prog = number;
	return 0;
}

static int serve_attach(struct device_host *host, const struct request *request,
			struct answer *answer)
{
	const struct device_attach *head = request->head;
	const struct handle *prog = find_handle(host, head->prog, HANDLE_PROG);
	int ret;

	if (!prog)
		return host->err.code;
	pthread_mutex_lock(&host->device->lock);
	ret = head->replaces ? attach_next(host, prog, head->prog, head->replaces)
			     : attach_first(host, prog, head->prog);
	pthread_mutex_unlock(&host->device->lock);
	return ret;
}

static int serve_detach(struct device_host *host, const struct request *request,
			struct answer *answer)
{
	const struct device_detach *head = request->head;
	int ret = 0;

	pthread_mutex_lock(&host->device->lock);
	if (is_attached(host, head->prog))
		detach(host->device);
	else
		ret = refuse(host, -ENOENT, "program %u is not attached", head->prog);
	pthread_mutex_unlock(&host->device->lock);
	return ret;
}

/* --- the port --- */

static int serve_port_stats(struct device_host *host, const struct request *request,
			    struct answer *answer)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	struct device_port_counts counts = {};
	int ret = skep_port_stats(host->device->engine, host->device->ifindex, &stats);

	if (ret)
		return ret;
	counts.in_packets = stats.in_packets;
	counts.in_bytes = stats.in_bytes;
	counts.out_packets = stats.out_packets;
	counts.out_bytes = stats.out_bytes;
	memcpy(counts.verdict_packets, stats.verdict_packets, sizeof(counts.verdict_packets));
	memcpy(counts.verdict_bytes, stats.verdict_bytes, sizeof(counts.verdict_bytes));
	counts.redirect_failed = stats.redirect_failed;
	counts.out_failed = stats.out_failed;
	counts.truncated = stats.truncated;
	counts.run_ns = stats.run_ns;
	counts.lost = stats.lost;
	counts.at_end = stats.at_end;
	counts.queues = stats.queues;
	memcpy(answer->bytes, &counts, sizeof(counts));
	answer->size = sizeof(counts);
	return 0;
}

/* --- the end of things --- */

static void free_handle(struct device_host *host, u32 number)
{
	struct handle *handle = &host->handles[number - 1];

	pthread_mutex_lock(&host->device->lock);
	if (is_attached(host, number))
		detach(host->device);
	pthread_mutex_unlock(&host->device->lock);
	close(handle->fd);
	*handle = (struct handle){};
}

static int serve_free(struct device_host *host, const struct request *request,
		      struct answer *answer)
{
	const struct device_free *head = request->head;

	if (head->handle - 1 < HANDLES_MAX &&
	    host->handles[head->handle - 1].kind != HANDLE_NONE)
		free_handle(host, head->handle);
	return 0;
}

void device_forget(struct device_host *host)
{
	for (u32 i = HANDLES_MAX; i > 0; i--)
		if (host->handles[i - 1].kind != HANDLE_NONE)
			free_handle(host, i);
}

/* --- the table --- */

static const struct {
	size_t head, most;
	int (*serve)(struct device_host *host, const struct request *request,
		     struct answer *answer);
} requests[] = {
#define MESSAGE(name, number, more) \
	[number] = {sizeof(struct device_##name), more, serve_##name},
#include "device/messages.def"
#undef MESSAGE
};

bool device_request_size(u32 type, size_t *head, size_t *most)
{
	if (type >= ARRAY_SIZE(requests) || !requests[type].serve)
		return false;
	*head = requests[type].head;
	*most = requests[type].most;
	return true;
}

int device_serve(struct device_host *host, const struct request *request, struct answer *answer)
{
	if (!host->is_greeted && request->type != DEVICE_hello)
		return refuse(host, -EPROTO, "a host says hello first");
	return requests[request->type].serve(host, request, answer);
}
