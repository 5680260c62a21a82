/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs and maps of devices (prog_ifindex, map_ifindex without BPF_F_XDP_DEV_BOUND_ONLY),
 * with the rules and the errno of Linux's kernel/bpf/offload.c. Functions that ask the device
 * wait for it: not in a read-side section.
 */
#ifndef SKEP_SYS_OFFLOAD_H
#define SKEP_SYS_OFFLOAD_H

#include "device/device.h"
#include "run/run.h"
#include "sys/command.h"

struct link;
struct verified;

/* 0, or -ENODEV: the device that has it is gone. `handle` NULL: 0. */
int offload_check(struct call *call, const struct device_handle *handle);

/* MAP_CREATE with map_ifindex. */
int offload_map(struct call *call, const struct map_desc *desc, const struct map_world *world,
		struct map **out);

/* PROG_LOAD with prog_ifindex: what is allowed, and the device as a reference. */
int offload_check_load(struct call *call, struct device **out);

struct offload_load {
	struct device *device; /* NULL: the program is for this engine */
	const struct verified *verified;
	const struct bpf_insn *insns;
	u32 flags; /* of prog_flags */
	bool is_gpl;
	const char *name;
};

/* 0, or -EINVAL: a map is not where the program is to run. */
int offload_check_maps(struct call *call, const struct offload_load *load);
int offload_load(struct call *call, const struct offload_load *load,
		 struct device_handle **out);

/* What the device knows of its program. */
int offload_prog_info(struct call *call, const struct prog *prog, struct bpf_prog_info *info);
/* Makes what the port counted known, when there is a device behind it. */
void offload_refresh(struct skep_engine *engine, u32 ifindex);

/* --- links of XDP with XDP_FLAGS_HW_MODE --- */
bool offload_is_wanted(const struct call *call);
bool offload_is_link(const struct link *link);
u32 offload_link_ifindex(const struct link *link); /* 0: it is detached, or the device gone */
int offload_link_create(struct call *call, struct prog *prog, struct link **out);
int offload_link_update(struct call *call, struct link *link, struct prog *prog,
			const struct prog *expected);
int offload_link_detach(struct link *link);

#endif
