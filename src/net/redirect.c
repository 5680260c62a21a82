/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/redirect.h"
#include "map/device.h"

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

/* --- to CPUs: the frame stays on the worker that has it --- */

/* Whether the frame is to be redirected again. */
static bool go_on_at_cpu(const struct xdp_path *path, struct run_context *run,
			 const struct redirect *to, struct port *from, struct frame *frame,
			 int *err)
{
	const struct map_device *cpu = map_device_find(to->map, (u32)to->key);
	u32 action = XDP_PASS;

	if (!cpu) {
		*err = -ENOENT;
		return false;
	}
	if (cpu->prog)
		action = run_at_entry(run, cpu->prog, from, 0, frame);
	if (action == XDP_PASS)
		xdp_pass(path, from, frame, run);
	else if (action != XDP_REDIRECT)
		port_exception(from, SKEP_EXCEPTION_ENTRY_DROP);
	*err = 0;
	return action == XDP_REDIRECT;
}

static int carry_out(const struct xdp_path *path, struct run_context *run, struct port *from,
		     struct frame *frame, bool *again)
{
	const struct redirect to = run->redirect;
	int err;

	*again = false;
	switch (to.kind) {
	case REDIRECT_NONE:
	case REDIRECT_SOCKET: return -EINVAL;
	case REDIRECT_IFINDEX: return send_to(path, to.ifindex, frame);
	case REDIRECT_MAP: break;
	}
	switch (to.map->desc.type) {
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH: return send_to_entry(path, run, &to, from, frame);
	case BPF_MAP_TYPE_CPUMAP:
		*again = go_on_at_cpu(path, run, &to, from, frame, &err);
		return err;
	default: return -EOPNOTSUPP; /* an XSK map: no port has queues */
	}
}

static enum skep_exception exception_of(int err)
{
	switch (err) {
	case -ENODEV: return SKEP_EXCEPTION_NO_PORT;
	case -ENOENT: return SKEP_EXCEPTION_NO_ENTRY;
	case -ENOMEM: return SKEP_EXCEPTION_NO_MEMORY;
	case -EOPNOTSUPP: return SKEP_EXCEPTION_NO_SOCKET;
	default: return SKEP_EXCEPTION_NO_TARGET;
	}
}

void redirect_frame(const struct xdp_path *path, struct run_context *run, struct port *from,
		    struct frame *frame)
{
	bool again = true;
	int err = 0;

	for (u32 i = 0; i < REDIRECTS_MAX && again && !err; i++)
		err = carry_out(path, run, from, frame, &again);
	if (err)
		port_exception(from, exception_of(err));
	else if (again)
		port_exception(from, SKEP_EXCEPTION_LOOP);
}
