/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that a device runs: skep's behind a port, or an interface of Linux's. */
#include "cli/attach.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <skep/port.h>
#include <string.h>
#include <unistd.h>

static bool is_device(const struct session *session, int port)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};

	return !skep_port_stats(session->engine, port, &stats) &&
	       !strncmp(stats.spec, "device:", 7);
}

bool offload_is_meant(const struct session *session, const struct attachments *attachments)
{
	const char *mode = session->line->option[OPTION_xdp_mode];

	if (mode || session->on_linux)
		return mode && !strcmp(mode, "offload");
	for (u32 i = 0; i < attachments->port_count; i++)
		if (is_device(session, attachments->ports[i]))
			return true;
	return false;
}

/* Asks Linux with the smallest program: what it says of another one may have other reasons. */
static int check_interface(const char *name, u32 ifindex)
{
	const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
					 {.code = BPF_JMP | BPF_EXIT}};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_ifindex = ifindex);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", insns, ARRAY_SIZE(insns),
			       &opts);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return usage_error(
		"%s cannot run programs itself (--xdp-mode offload): Linux says %s; use "
		"--xdp-mode native or generic",
		name, strerror(errno));
}

/* The number of the only interface of --on. */
static int find_interface(const struct session *session, u32 *ifindex)
{
	const char *name = session->line->option[OPTION_on];

	*ifindex = name ? if_nametoindex(name) : 0;
	if (!*ifindex)
		return usage_error("--xdp-mode offload: a program is for one interface (--on), "
				   "'%s' is none",
				   name ?: "");
	return check_interface(name, *ifindex);
}

static int find_device(const struct session *session, const struct attachments *attachments,
		       u32 *ifindex)
{
	if (attachments->port_count != 1 || !is_device(session, attachments->ports[0]))
		return usage_error("offload: a program is for one port of kind device: (--on "
				   "device:unix:PATH)");
	*ifindex = (u32)attachments->ports[0];
	return 0;
}

int offload_bind(struct session *session, const struct attachments *attachments)
{
	struct bpf_program *program;
	struct bpf_map *map;
	u32 ifindex = 0;
	int code = session->on_linux ? find_interface(session, &ifindex)
				     : find_device(session, attachments, &ifindex);

	if (code)
		return code;
	bpf_object__for_each_program (program, session->object) {
		if (bpf_program__type(program) == BPF_PROG_TYPE_XDP)
			bpf_program__set_ifindex(program, ifindex);
	}
	bpf_object__for_each_map (map, session->object)
		bpf_map__set_ifindex(map, ifindex);
	return 0;
}
