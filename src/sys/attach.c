/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of programs at ports (skep/attach.h). */
#include "net/net.h"
#include "sys/command.h"
#include "sys/port_link.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <skep/attach.h>
#include <string.h>

_Static_assert(SKEP_RESULTS == TALLY_RESULTS, "one array is copied to the other");

static const struct {
	const char *name, *text;
} exceptions[] = {
#define EXCEPTION(id, name, is_redirect, text) {name, text},
#include <skep/exceptions.def>
#undef EXCEPTION
};

const char *skep_exception_name(unsigned int exception)
{
	return exception < ARRAY_SIZE(exceptions) ? exceptions[exception].name : NULL;
}

const char *skep_exception_text(unsigned int exception)
{
	return exception < ARRAY_SIZE(exceptions) ? exceptions[exception].text : NULL;
}

/* --- attaching --- */

/* A filter's result that is no verdict hands on: all but TC_ACT_OK, SHOT, STOLEN, REDIRECT,
 * TRAP. */
#define PLACE(result) (1u << ((result) + 1))
#define AFTER_FILTER                                                                \
	(0xffffu & ~(PLACE(TC_ACT_OK) | PLACE(TC_ACT_SHOT) | PLACE(TC_ACT_STOLEN) | \
		     PLACE(TC_ACT_REDIRECT) | PLACE(TC_ACT_TRAP)))

static struct prog *find_program(struct call *call, const struct skep_attach_opts *opts, int fd,
				 int *ret)
{
	const bool is_xdp = opts->place == SKEP_HOOK_XDP;
	struct prog *prog = call_prog_to_run(call, fd, ret);

	if (!prog)
		return NULL;
	if (prog->type == (is_xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS))
		return prog;
	*ret = call_fail(call, -EINVAL, "program %d is no %s program", fd,
			 is_xdp ? "XDP" : "tc");
	object_put(&prog->object);
	return NULL;
}

static int make_link(struct call *call, u32 ifindex, const struct skep_attach_opts *opts,
		     struct prog *prog, struct link **out)
{
	const struct hook_request request = {
		.place = {.is_by_priority = true,
			  .is_generic = opts->generic,
			  .priority = opts->priority ?: SKEP_PRIORITY_DEFAULT,
			  .proceed_on = opts->place == SKEP_HOOK_XDP ? opts->proceed_on
								     : AFTER_FILTER}};
	struct hook *hook;
	int ret;

	rcu_read_lock();
	hook = net_hook_at(call->engine->net, ifindex, opts->place);
	ret = hook ? link_new(hook,
			      opts->place == SKEP_HOOK_XDP ? BPF_LINK_TYPE_XDP
							   : BPF_LINK_TYPE_TCX,
			      prog, &request, out)
		   : -ENODEV;
	rcu_read_unlock();
	if (ret)
		call_fail(call, ret,
			  hook ? "port %u takes no further program in this mode"
			       : "no port has ifindex %u",
			  ifindex);
	return ret;
}

static int attach(struct call *call, u32 ifindex, int prog_fd,
		  const struct skep_attach_opts *opts)
{
	struct link *link;
	struct prog *prog;
	int ret = 0;

	if (opts->place > SKEP_HOOK_TC_EGRESS)
		return call_fail(call, -EINVAL, "no place %u", opts->place);
	prog = find_program(call, opts, prog_fd, &ret);
	if (!prog)
		return ret;
	descriptors_reap(call->engine);
	if (opts->place == SKEP_HOOK_XDP)
		ret = xdp_check_mtu(call, prog, ifindex, opts->generic);
	ret = ret ?: make_link(call, ifindex, opts, prog, &link);
	object_put(&prog->object);
	return ret ? ret : call_hand_out(call, &link->object, DESCRIPTOR_RDWR);
}

int skep_attach(struct skep_engine *engine, int ifindex, int prog_fd,
		const struct skep_attach_opts *opts)
{
	struct call call = {.engine = engine, .err = engine_error_start(engine)};
	struct skep_attach_opts all = {.proceed_on = SKEP_PROCEED_DEFAULT};

	if (opts) {
		all.proceed_on = 0;
		memcpy(&all, opts, min(opts->sz, sizeof(all)));
	}
	return attach(&call, ifindex > 0 ? (u32)ifindex : 0, prog_fd, &all);
}

/* --- what is attached --- */

static void fill(struct skep_attached *out, u32 place, const struct attachment *attachment,
		 int queue)
{
	const struct prog *prog = attachment->prog;

	out->place = place;
	out->prog_id = prog->object.id;
	out->link_id = attachment->link ? attachment->link->object.id : 0;
	memcpy(out->name, prog->name, sizeof(out->name));
	out->priority = attachment->priority;
	out->proceed_on = attachment->proceed_on;
	out->generic = attachment->is_generic;
	for (u32 i = 0; i < attachment->queues; i++) {
		if (queue >= 0 && i != (u32)queue)
			continue;
		for (u32 result = 0; result < TALLY_RESULTS; result++) {
			out->packets[result] += attachment->tallies[i].packets[result];
			out->bytes[result] += attachment->tallies[i].bytes[result];
		}
		out->ns += attachment->tallies[i].ns;
	}
}

/* With all hooks locked. The hooks of a port in the order of the places. */
static int find_attached(struct net *net, u32 ifindex, u32 n, int queue,
			 struct skep_attached *out)
{
	struct hook *hook;

	for (u32 i = 0; (hook = net_hook_nth(net, ifindex, i, &out->place)); i++) {
		const u32 count = hook->chain ? hook->chain->count : 0;

		if (n < count) {
			fill(out, out->place, hook->chain->at[n], queue);
			return 0;
		}
		n -= count;
	}
	return net_has_port(net, ifindex) ? -ENOENT : -ENODEV;
}

int skep_attached(struct skep_engine *engine, int ifindex, unsigned int n, int queue,
		  struct skep_attached *out)
{
	struct skep_attached all = {.sz = out->sz};
	int ret;

	engine_error_start(engine);
	descriptors_reap(engine);
	rcu_read_lock();
	hook_lock_all();
	ret = find_attached(engine->net, ifindex > 0 ? (u32)ifindex : 0, n, queue, &all);
	hook_unlock_all();
	rcu_read_unlock();
	if (!ret)
		memcpy(out, &all, min(out->sz, sizeof(all)));
	return ret;
}

int skep_port_exceptions(struct skep_engine *engine, int ifindex, uint64_t *counts,
			 unsigned int count)
{
	engine_error_start(engine);
	return net_port_exceptions(engine->net, ifindex > 0 ? (u32)ifindex : 0, counts, count);
}

int skep_port_tc(struct skep_engine *engine, int ifindex, uint32_t place,
		 uint64_t packets[SKEP_TC_VERDICTS])
{
	engine_error_start(engine);
	if (place != SKEP_HOOK_TC_INGRESS && place != SKEP_HOOK_TC_EGRESS)
		return -EINVAL;
	return net_port_tc(engine->net, ifindex > 0 ? (u32)ifindex : 0,
			   place - SKEP_HOOK_TC_INGRESS, packets);
}

int skep_port_pass_to(struct skep_engine *engine, int ifindex, int target)
{
	engine_error_start(engine);
	if (ifindex <= 0 || target < 0)
		return -ENODEV;
	return net_port_pass_to(engine->net, (u32)ifindex, (u32)target);
}
