/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/offload.h"

#include "map/map.h"
#include "net/net.h"
#include "sys/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int offload_check(struct call *call, const struct device_handle *handle)
{
	return handle ? device_check(handle->device, call->err) : 0;
}

/* The device behind a port; Linux tells no port from one that runs no programs. */
static int find_device(struct call *call, u32 ifindex, struct device **out)
{
	*out = net_device(call->engine->net, ifindex);
	if (*out)
		return 0;
	if (!net_has_port(call->engine->net, ifindex))
		return call_fail(call, -EINVAL, "no port has ifindex %u", ifindex);
	return call_fail(call, -EINVAL,
			 "port %u runs no programs itself; ports of kind device: do", ifindex);
}

int offload_map(struct call *call, const struct map_desc *desc, const struct map_world *world,
		struct map **out)
{
	struct device *device;
	int ret;

	if (!engine_may(call->engine, SKEP_RIGHT_ADMIN))
		return call_fail(call, -EPERM, "maps of devices need CAP_SYS_ADMIN");
	ret = find_device(call, desc->ifindex, &device);
	if (ret)
		return ret;
	ret = map_make_offloaded(desc, device, world, out, call->err);
	device_put(device);
	return ret;
}

/* --- programs --- */

int offload_check_load(struct call *call, struct device **out)
{
	const union bpf_attr *attr = &call->attr.v;

	if (attr->prog_type != BPF_PROG_TYPE_XDP || attr->prog_flags)
		return call_fail(call, -EINVAL,
				 "devices run XDP programs, loaded without flags; this is of "
				 "type %u with prog_flags %#x",
				 attr->prog_type, attr->prog_flags);
	return find_device(call, attr->prog_ifindex, out);
}

int offload_check_maps(struct call *call, const struct offload_load *load)
{
	for (u32 i = 0; i < load->verified->map_cnt; i++) {
		const struct map_desc *desc = load->verified->maps[i];
		const struct device_handle *handle = map_offloaded(map_of_desc(desc));

		if (load->device == (handle ? handle->device : NULL))
			continue;
		return call_fail(call, -EINVAL,
				 "map '%.*s' is not where the program runs: a device's program "
				 "and its maps are created for the same port (prog_ifindex, "
				 "map_ifindex)",
				 BPF_OBJ_NAME_LEN, desc->name);
	}
	return 0;
}

static u32 map_index(const struct verified *verified, const struct map_desc *map)
{
	u32 i = 0;

	while (i < verified->map_cnt && verified->maps[i] != map)
		i++;
	return i;
}

/* The instructions with their maps by index, which is no matter where descriptors are others.
 */
static struct bpf_insn *by_index(const struct offload_load *load)
{
	const struct verified *verified = load->verified;
	const size_t size = verified->insn_cnt * sizeof(struct bpf_insn);
	struct bpf_insn *insns = malloc(size);

	if (!insns)
		return NULL;
	memcpy(insns, load->insns, size);
	for (u32 i = 0; i + 1 < verified->insn_cnt; i++) {
		const struct map_desc *map = insn_fact_map(&verified->facts[i]);

		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW) || !map)
			continue;
		insns[i].src_reg = BPF_PSEUDO_MAP_IDX;
		insns[i].imm = (s32)map_index(verified, map);
	}
	return insns;
}

static int ask_to_load(const struct offload_load *load, const struct bpf_insn *insns,
		       struct device_made *made, struct skep_error *err)
{
	const struct verified *verified = load->verified;
	struct device_prog_load head = {.type = verified->type,
					.attach_type = verified->attach_type,
					.flags = load->flags,
					.is_gpl = load->is_gpl,
					.map_count = verified->map_cnt,
					.insn_count = verified->insn_cnt};
	u32 maps[DEVICE_MAPS_MAX];

	memcpy(head.name, load->name, sizeof(head.name));
	for (u32 i = 0; i < verified->map_cnt; i++)
		maps[i] = map_offloaded(map_of_desc(verified->maps[i]))->number;
	return device_ask(
		load->device,
		&(struct device_request){DEVICE_prog_load,
					 &head,
					 sizeof(head),
					 {maps, insns},
					 {verified->map_cnt * sizeof(u32),
					  verified->insn_cnt * sizeof(struct bpf_insn)}},
		made, sizeof(*made), err);
}

int offload_load(struct call *call, const struct offload_load *load, struct device_handle **out)
{
	struct bpf_insn *insns = by_index(load);
	struct device_made made;
	int ret = insns ? ask_to_load(load, insns, &made, call->err) : -ENOMEM;

	free(insns);
	if (ret < 0)
		return ret;
	if (ret != sizeof(made))
		return call_fail(call, -EIO, "device %s: its answer is none",
				 device_name(load->device));
	*out = device_handle_new(load->device, &made);
	return *out ? 0 : -ENOMEM;
}

int offload_prog_info(struct call *call, const struct prog *prog, struct bpf_prog_info *info)
{
	const struct device_prog_stats head = {.prog = prog->offload->number};
	struct device_prog_counts counts;
	int ret = device_ask(
		prog->offload->device,
		&(struct device_request){DEVICE_prog_stats, &head, sizeof(head), {}, {}},
		&counts, sizeof(counts), call->err);

	if (ret < 0)
		return ret;
	if (ret != sizeof(counts))
		return -EIO;
	info_fill_device(prog->bound_ifindex, &info->ifindex, &info->netns_dev,
			 &info->netns_ino);
	info->jited_prog_len = prog->offload->code_size;
	info->run_cnt = counts.packets;
	info->run_time_ns = counts.run_ns;
	return 0;
}

void offload_refresh(struct skep_engine *engine, u32 ifindex)
{
	struct device *device = net_device(engine->net, ifindex);

	/* Of one that is gone there is what was last heard. */
	if (device)
		device_refresh(device, NULL);
	device_put(device);
}
