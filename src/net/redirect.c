/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/redirect.h"
#include "map/device.h"
#include "net/cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the program at an entry says; it may only pass, drop and, in a cpumap, redirect.
 * `egress` 0: the frame goes to no port. */
static u32 run_at_entry(struct run_context *run, const struct object *prog,
			const struct port *from, u32 egress, struct frame *frame)
{
	const struct prog *program = container_of(prog, struct prog, object);
	struct xdp_ctx ctx;
	u32 action;

	xdp_ctx_from_frame(&ctx, frame, from, prog_has_frags(program));
	ctx.egress_ifindex = egress;
	run->redirect.kind = REDIRECT_NONE;
	action = prog_run(program, &ctx, run);
	xdp_frame_from_ctx(frame, &ctx);
	return action;
}

/* --- to ports --- */

static int send_to(const struct xdp_path *path, u32 ifindex, struct frame *frame)
{
	struct port *to = path->find(path->cookie, ifindex);

	if (!to)
		return -ENODEV;
	xdp_send(path, to, frame);
	return 0;
}

static int send_through(const struct xdp_path *path, struct run_context *run, struct port *from,
			const struct map_device *device, struct frame *frame)
{
	if (!path->find(path->cookie, device->target))
		return -ENODEV;
	if (device->prog &&
	    run_at_entry(run, device->prog, from, device->target, frame) != XDP_PASS) {
		port_exception(from, SKEP_EXCEPTION_ENTRY_DROP);
		return 0;
	}
	return send_to(path, device->target, frame);
}

/* One frame to many ports: each program gets it as it came. */
struct broadcast {
	const struct xdp_path *path;
	struct run_context *run;
	struct port *from;
	struct frame *frame;
	u64 flags;
	u8 *copy; /* of metadata and packet; owned; NULL: no program yet */
	int err;  /* the first */
};

/* Programs change the frame in its place, so that it leaves at once. */
static int send_copy(struct broadcast *all, const struct map_device *device)
{
	struct frame frame = *all->frame;
	const u32 size = frame.metadata + frame.length;
	u8 *start = frame.data - frame.metadata;
	struct xdp_path at_once = *all->path;
	int err;

	if (!device->prog)
		return send_to(all->path, device->target, all->frame);
	if (!all->copy) {
		all->copy = malloc(size);
		if (!all->copy)
			return -ENOMEM;
		memcpy(all->copy, start, size);
	}
	at_once.outbox = NULL;
	err = send_through(&at_once, all->run, all->from, device, &frame);
	memcpy(start, all->copy, size);
	return err;
}

static bool send_one(void *cookie, const struct map_device *device)
{
	struct broadcast *all = cookie;
	int err = 0;

	if (!(all->flags & BPF_F_EXCLUDE_INGRESS) || device->target != all->from->ifindex)
		err = send_copy(all, device);
	all->err = all->err ?: err;
	return false;
}

static int send_to_all(const struct xdp_path *path, struct run_context *run,
		       const struct redirect *to, struct port *from, struct frame *frame)
{
	struct broadcast all = {
		.path = path, .run = run, .from = from, .frame = frame, .flags = to->flags};

	map_device_each(to->map, send_one, &all);
	free(all.copy);
	return all.err;
}

static int send_to_entry(const struct xdp_path *path, struct run_context *run,
			 const struct redirect *to, struct port *from, struct frame *frame)
{
	const struct map_device *device;

	if (to->flags & BPF_F_BROADCAST)
		return send_to_all(path, run, to, from, frame);
	device = map_device_find(to->map, (u32)to->key);
	return device ? send_through(path, run, from, device, frame) : -ENOENT;
}

/* --- to CPUs --- */

/* The frame is at the entry's CPU. Whether it is to be redirected again. */
static bool go_on_at_cpu(const struct xdp_path *path, struct run_context *run,
			 const struct object *prog, struct port *from, struct frame *frame)
{
	const u32 action = prog ? run_at_entry(run, prog, from, 0, frame) : XDP_PASS;

	if (action == XDP_PASS)
		xdp_pass(path, from, frame, run);
	else if (action != XDP_REDIRECT)
		port_exception(from, SKEP_EXCEPTION_ENTRY_DROP);
	return action == XDP_REDIRECT;
}

/* One redirect after the other. */
struct chase {
	const struct xdp_path *path;
	struct run_context *run;
	struct port *from;
	struct frame *frame;
	u32 redirects; /* so far */
	bool goes_on;
};

static int send_to_cpu(struct chase *chase, const struct redirect *to)
{
	const struct map_device *entry = map_device_find(to->map, (u32)to->key);
	struct cpu *cpu = chase->path->cpu;
	u32 target;

	if (!entry)
		return -ENOENT;
	target = cpu ? cpu_of_key(cpu, (u32)to->key) : 0;
	if (cpu && target != cpu->index)
		return cpu_put(cpu, target, entry->target,
			       &(struct cpu_frame){.frame = *chase->frame,
						   .from = chase->from,
						   .prog = entry->prog,
						   .redirects = chase->redirects});
	chase->goes_on =
		go_on_at_cpu(chase->path, chase->run, entry->prog, chase->from, chase->frame);
	return 0;
}

static int carry_out(struct chase *chase)
{
	const struct redirect to = chase->run->redirect;

	chase->redirects++;
	chase->goes_on = false;
	switch (to.kind) {
	case REDIRECT_NONE:
	case REDIRECT_SOCKET: return -EINVAL;
	case REDIRECT_IFINDEX: return send_to(chase->path, to.ifindex, chase->frame);
	case REDIRECT_MAP: break;
	}
	switch (to.map->desc.type) {
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
		return send_to_entry(chase->path, chase->run, &to, chase->from, chase->frame);
	case BPF_MAP_TYPE_CPUMAP: return send_to_cpu(chase, &to);
	default: return -EOPNOTSUPP; /* an XSK map: no port has queues */
	}
}

static enum skep_exception exception_of(int err)
{
	switch (err) {
	case -ENODEV: return SKEP_EXCEPTION_NO_PORT;
	case -ENOENT: return SKEP_EXCEPTION_NO_ENTRY;
	case -ENOSPC: return SKEP_EXCEPTION_FULL;
	case -ENOMEM: return SKEP_EXCEPTION_NO_MEMORY;
	case -EOPNOTSUPP: return SKEP_EXCEPTION_NO_SOCKET;
	default: return SKEP_EXCEPTION_NO_TARGET;
	}
}

static void run_after(struct chase *chase)
{
	int err = 0;

	while (chase->goes_on && !err && chase->redirects < REDIRECTS_MAX)
		err = carry_out(chase);
	if (err)
		port_exception(chase->from, exception_of(err));
	else if (chase->goes_on)
		port_exception(chase->from, SKEP_EXCEPTION_LOOP);
}

void redirect_frame(const struct xdp_path *path, struct run_context *run, struct port *from,
		    struct frame *frame)
{
	struct chase chase = {path, run, from, frame, 0, true};

	run_after(&chase);
}

void redirect_receive(const struct xdp_path *path, struct cpu_frame *const *frames, u32 count)
{
	struct run_context run;

	run_begin(&run, path->env);
	run.path = path;
	for (u32 i = 0; i < count; i++) {
		struct cpu_frame *it = frames[i];
		struct chase chase = {path, &run, it->from, &it->frame, it->redirects, false};

		chase.goes_on = go_on_at_cpu(path, &run, it->prog, it->from, &it->frame);
		run_after(&chase);
	}
	run_end(&run);
	outbox_flush(path->outbox);
	cpu_flush(path->cpu);
}
