/* SPDX-License-Identifier: BSD-2-Clause */
/* The skep target: programs of one or more objects at each port of --on. */
#include "catalog/uapi.h"
#include "cli/attach.h"
#include "cli/run_config.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <skep/attach.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAMS_MAX 64
#define DEVICE_BOUND (1u << 6) /* BPF_F_XDP_DEV_BOUND_ONLY */

/* What Linux's drivers tell of a packet; a program that asks is for one device. */
static bool asks_the_port(const struct session *session)
{
	static const char *const functions[] = {"bpf_xdp_metadata_rx_timestamp",
						"bpf_xdp_metadata_rx_hash",
						"bpf_xdp_metadata_rx_vlan_tag"};
	const struct btf *btf = bpf_object__btf(session->object);

	for (u32 i = 0; btf && i < ARRAY_SIZE(functions); i++)
		if (btf__find_by_name_kind(btf, functions[i], BTF_KIND_FUNC) > 0)
			return true;
	return false;
}

int bind_to_port(struct session *session, const struct attachments *attachments)
{
	struct bpf_program *program;

	if (offload_is_meant(session, attachments))
		return offload_bind(session, attachments);
	if (!attachments->port_count || !asks_the_port(session))
		return 0;
	if (attachments->port_count > 1)
		return usage_error(
			"%s: asks what a port knows of its packets, so it runs at one "
			"port only (--on)",
			session->path);
	bpf_object__for_each_program (program, session->object) {
		if (bpf_program__type(program) != BPF_PROG_TYPE_XDP)
			continue;
		bpf_program__set_ifindex(program, (u32)attachments->ports[0]);
		bpf_program__set_flags(program, bpf_program__flags(program) | DEVICE_BOUND);
	}
	return 0;
}

/* A program that is to be attached. */
struct choice {
	struct session *session;
	struct bpf_program *program;
	struct run_config config;
	u32 place;    /* enum skep_hook_place */
	bool is_tcx;  /* by bpf(2), in tcx's order */
	bool is_free; /* it may be one of several of its object that were not named */
};

struct choices {
	u32 count;
	struct choice rows[PROGRAMS_MAX];
};

static bool choose_as(const struct session *session, struct bpf_program *program,
		      struct choice *out)
{
	const char *section = bpf_program__section_name(program);
	const bool is_xdp = bpf_program__type(program) == BPF_PROG_TYPE_XDP;

	*out = (struct choice){.session = (struct session *)session, .program = program};
	if (!is_xdp && bpf_program__type(program) != BPF_PROG_TYPE_SCHED_CLS)
		return false;
	out->is_tcx = !strncmp(section, "tcx/", 4);
	out->is_free = out->is_tcx;
	if (is_xdp)
		out->is_free =
			run_config_read(session, bpf_program__name(program), &out->config);
	else
		out->place =
			strstr(section, "egress") ? SKEP_HOOK_TC_EGRESS : SKEP_HOOK_TC_INGRESS;
	/* Programs for entries of maps are put there, not at ports. */
	return !is_xdp || bpf_program__expected_attach_type(program) == BPF_XDP ||
	       !bpf_program__expected_attach_type(program);
}

/* Several of one object for one place, of which none was named: which is meant? */
static int refuse_several(const struct choices *choices, const struct choice *one)
{
	struct strbuf names;
	u32 count = 0, free = 0;
	int code = 0;

	strbuf_init(&names);
	for (u32 i = 0; i < choices->count; i++) {
		const struct choice *row = &choices->rows[i];

		if (row->session != one->session || row->place != one->place)
			continue;
		free += row->is_free;
		strbuf_addf(&names, count++ ? ", %s" : "%s", bpf_program__name(row->program));
	}
	if (count > 1 && free < count)
		code = usage_error("%s: several programs could be attached (%s); choose one "
				   "with --program, or several with commas",
				   one->session->path, strbuf_text(&names));
	strbuf_done(&names);
	return code;
}

static int choose_of(struct session *session, struct choices *out)
{
	const char *names = session->line->option[OPTION_program];
	struct bpf_program *program;

	bpf_object__for_each_program (program, session->object) {
		if (names && !list_has(names, bpf_program__name(program)))
			continue;
		if (out->count == PROGRAMS_MAX)
			return usage_error("run: more than %d programs", PROGRAMS_MAX);
		out->count += choose_as(session, program, &out->rows[out->count]);
	}
	return 0;
}

/* Each name of --program is a program of one of the files. */
static int check_names(struct session *sessions, u32 count)
{
	const char *at = sessions->line->option[OPTION_program];

	while (at && *at && sessions->object) {
		const size_t length = strcspn(at, ",");
		char name[256] = "";
		bool found = false;

		strncat(name, at, min(length, sizeof(name) - 1));
		for (u32 i = 0; i < count; i++)
			found |= session_program(&sessions[i], name) != NULL;
		if (!found)
			return usage_error("%s: no program named '%s'", sessions->path, name);
		at += length + (at[length] == ',');
	}
	return 0;
}

/* Programs of routes are named by the routes (--forward). */
static bool has_route_program(const struct session *session)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, session->object) {
		switch ((u32)bpf_program__type(program)) {
		case BPF_PROG_TYPE_LWT_IN:
		case BPF_PROG_TYPE_LWT_OUT:
		case BPF_PROG_TYPE_LWT_XMIT: return option_given(session->line, OPTION_forward);
		}
	}
	return false;
}

static int choose_all(struct session *sessions, u32 count, struct choices *out)
{
	int code = check_names(sessions, count);

	for (u32 i = 0; !code && i < count; i++) {
		const u32 before = out->count;

		if (!sessions[i].object)
			continue; /* a router without programs */
		code = choose_of(&sessions[i], out);
		if (!code && out->count == before && !has_route_program(&sessions[i]))
			code = usage_error(
				"%s: no XDP or tc program to attach; `skep prog run` "
				"runs any program on given data",
				sessions[i].path);
	}
	for (u32 i = 0; !code && i < out->count; i++)
		if (!sessions->line->option[OPTION_program])
			code = refuse_several(out, &out->rows[i]);
	return code;
}

static int make_link(const struct choice *choice, u32 index, int port, u32 mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, hardware, .flags = XDP_FLAGS_HW_MODE);
	const struct skep_attach_opts opts = {
		.sz = sizeof(opts),
		.place = choice->place,
		/* filters run in the order in which they are given */
		.priority =
			choice->place == SKEP_HOOK_XDP ? choice->config.priority : index + 1,
		.proceed_on = choice->config.proceed_on,
		.generic = mode == XDP_FLAGS_SKB_MODE && choice->place == SKEP_HOOK_XDP,
	};
	const int prog = bpf_program__fd(choice->program);
	const enum bpf_attach_type type =
		choice->place == SKEP_HOOK_TC_EGRESS ? BPF_TCX_EGRESS : BPF_TCX_INGRESS;

	if (mode == XDP_FLAGS_HW_MODE && choice->place == SKEP_HOOK_XDP)
		return bpf_link_create(prog, port, BPF_XDP, &hardware);
	return choice->is_tcx ? bpf_link_create(prog, port, type, NULL)
			      : skep_attach(choice->session->engine, port, prog, &opts);
}

static int attach_choice(struct attachments *out, const struct choice *choice, u32 index,
			 int port, u32 mode)
{
	int fd;

	if (out->fd_count == ARRAY_SIZE(out->fds))
		return usage_error("run: more than %zu programs at ports",
				   ARRAY_SIZE(out->fds));
	fd = make_link(choice, index, port, mode);
	if (fd < 0)
		return usage_error("%s: cannot be attached to port %d: %s",
				   bpf_program__name(choice->program), port,
				   skep_engine_error(choice->session->engine)->text);
	out->fds[out->fd_count++] = fd;
	return 0;
}

static int set_behind(struct session *session, const struct attachments *attachments)
{
	u64 number;
	int code = option_number(session->line, OPTION_pass_to, 0, &number);

	if (code || !option_given(session->line, OPTION_pass_to))
		return code;
	if (!number || number > attachments->port_count)
		return usage_error(
			"--pass-to %llu: expected the number of a port of --on, 1 to %u",
			number, attachments->port_count);
	for (u32 i = 0; i < attachments->port_count; i++)
		if (i + 1 != number)
			skep_port_pass_to(session->engine, attachments->ports[i],
					  attachments->ports[number - 1]);
	return 0;
}

int attach_at_ports(struct session *sessions, u32 count, struct attachments *out)
{
	struct choices choices = {};
	u32 mode;
	int code = xdp_mode(sessions->line->option[OPTION_xdp_mode], &mode);

	if (!code && offload_is_meant(sessions, out))
		mode = XDP_FLAGS_HW_MODE;

	code = code ?: choose_all(sessions, count, &choices);
	code = code ?: set_behind(sessions, out);
	for (u32 port = 0; !code && port < out->port_count; port++)
		for (u32 i = 0; !code && i < choices.count; i++)
			code = attach_choice(out, &choices.rows[i], i, out->ports[port], mode);
	return code;
}
