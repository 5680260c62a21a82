/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/attach.h"
#include "cli/ladder.h"
#include "cli/router.h"
#include "linux/rights.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <skep/port.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The program to attach at a port: --program, or the only one of the type. *out is NULL when
 * there is none. 0, or EXIT_NO_VERDICT after a message when the choice is the user's.
 */
static int choose_program(struct session *session, enum bpf_prog_type type,
			  struct bpf_program **out)
{
	const char *name = session->line->option[OPTION_program];
	struct bpf_program *program;
	struct strbuf names;
	int count = 0, code = 0;

	*out = NULL;
	if (name && !session_program(session, name))
		return usage_error("%s: no program named '%s'", session->path, name);
	strbuf_init(&names);
	bpf_object__for_each_program (program, session->object) {
		if (bpf_program__type(program) != type ||
		    (name && strcmp(bpf_program__name(program), name)))
			continue;
		*out = program;
		strbuf_addf(&names, count++ ? ", %s" : "%s", bpf_program__name(program));
	}
	if (count > 1)
		code = usage_error(
			"%s: several programs could be attached (%s); choose one with --program",
			session->path, strbuf_text(&names));
	strbuf_done(&names);
	return code;
}

static int keep_link(struct attachments *out, struct bpf_link *link, const char *what,
		     const char *where)
{
	if (!link)
		return usage_error("%s: cannot be attached to %s: %s", what, where,
				   strerror(errno));
	out->links[out->link_count++] = link;
	return 0;
}

/*
 * The comma that ends the first port of a list. A comma inside "gen:a=1,b=2" does not: what
 * follows it is a key, not "KIND:". Interfaces have no kinds, and no keys.
 */
char *port_end(char *list)
{
	char *comma = strchr(list, ',');
	const bool has_kind = list[strcspn(list, ":,")] == ':';

	while (comma && has_kind && comma[1 + strcspn(comma + 1, ":=,")] != ':')
		comma = strchr(comma + 1, ',');
	return comma;
}

int each_port(struct session *session, struct attachments *out, attach_function *attach)
{
	char *list = strdup(session->line->option[OPTION_on]), *at = list, *end;
	int code = list ? 0 : usage_error("out of memory");

	while (!code && at) {
		end = port_end(at);
		if (end)
			*end = '\0';
		if (out->link_count == ATTACHED_MAX || out->port_count == ATTACHED_MAX ||
		    out->filter_count == ATTACHED_MAX)
			code = usage_error("--on: more than %d ports", ATTACHED_MAX);
		else
			code = attach(session, out, at);
		at = end ? end + 1 : NULL;
	}
	free(list);
	return code;
}

/* --- skep --- */

static int open_port(struct session *session, struct attachments *out, const char *spec)
{
	struct skep_error err = {};
	int ifindex, code;

	if (!strchr(spec, ':') && if_nametoindex(spec)) {
		code = ladder_open_port(session, spec, &ifindex);
		if (!code)
			out->ports[out->port_count++] = ifindex;
		return code;
	}
	ifindex = skep_port_open(session->engine, spec, &err);
	if (ifindex < 0) {
		usage_error("%s", err.text);
		return err.hint[0] ? usage_error("%s", err.hint) : EXIT_NO_VERDICT;
	}
	out->ports[out->port_count++] = ifindex;
	return 0;
}

/* --- linux --- */

int xdp_mode(const char *text, u32 *flags)
{
	static const struct {
		const char *name;
		u32 flags;
	} modes[] = {
		{"native", XDP_FLAGS_DRV_MODE},
		{"generic", XDP_FLAGS_SKB_MODE},
		{"offload", XDP_FLAGS_HW_MODE},
	};

	*flags = 0;
	for (u32 i = 0; text && i < ARRAY_SIZE(modes); i++) {
		if (strcmp(text, modes[i].name))
			continue;
		*flags = modes[i].flags;
		return 0;
	}
	return text ? usage_error("--xdp-mode %s: expected native, generic or offload", text)
		    : 0;
}

/* libbpf has no attach call with an XDP mode: the link is made directly, and closed with the
 * process. */
static int attach_xdp(struct session *session, struct bpf_program *program, u32 ifindex,
		      const char *interface)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int fd, code = xdp_mode(session->line->option[OPTION_xdp_mode], &opts.flags);

	if (code)
		return code;
	if (!opts.flags)
		return ladder_attach_xdp(session, program, ifindex, interface);
	fd = bpf_link_create(bpf_program__fd(program), ifindex, BPF_XDP, &opts);
	if (fd >= 0)
		return 0;
	if (opts.flags == XDP_FLAGS_HW_MODE)
		return usage_error(
			"%s: cannot be attached to %s: %s cannot run programs itself "
			"(--xdp-mode offload): %s",
			bpf_program__name(program), interface, interface, strerror(errno));
	if (errno == EBUSY || errno == EEXIST)
		return usage_error(
			"%s: cannot be attached to %s: it has an XDP program already",
			bpf_program__name(program), interface);
	if (errno == EOPNOTSUPP && opts.flags == XDP_FLAGS_DRV_MODE)
		return usage_error("%s: cannot be attached to %s: its driver has no XDP; try "
				   "--xdp-mode generic",
				   bpf_program__name(program), interface);
	return usage_error("%s: cannot be attached to %s: %s%s", bpf_program__name(program),
			   interface, strerror(errno), linux_missing_right(errno));
}

static int attach_tc(struct bpf_program *program, struct tc_filter *filter,
		     const char *interface)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = filter->ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(program));
	const char *section = bpf_program__section_name(program);
	int code;

	filter->point = strstr(section, "egress") ? BPF_TC_EGRESS : BPF_TC_INGRESS;
	hook.attach_point = filter->point;
	code = bpf_tc_hook_create(&hook);
	filter->made_hook = !code;
	if (code && code != -EEXIST)
		return usage_error("%s: no tc hook: %s%s", interface, strerror(-code),
				   linux_missing_right(-code));
	code = bpf_tc_attach(&hook, &opts);
	if (code)
		return usage_error("%s: cannot be attached to %s: %s%s",
				   bpf_program__name(program), interface, strerror(-code),
				   linux_missing_right(-code));
	filter->handle = opts.handle;
	filter->priority = opts.priority;
	return 0;
}

static void detach_tc(const struct tc_filter *filter)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = filter->ifindex,
		    .attach_point = filter->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = filter->handle, .priority = filter->priority);

	if (filter->handle)
		bpf_tc_detach(&hook, &opts);
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	if (filter->made_hook)
		bpf_tc_hook_destroy(&hook);
}

static int attach_interface(struct session *session, struct attachments *out,
			    const char *interface)
{
	struct bpf_program *program;
	u32 ifindex = if_nametoindex(interface);
	struct tc_filter *filter;
	int code;

	if (!ifindex)
		return usage_error("%s: no such interface", interface);
	code = choose_program(session, BPF_PROG_TYPE_XDP, &program);
	if (!code && program)
		return attach_xdp(session, program, ifindex, interface);
	if (!code)
		code = choose_program(session, BPF_PROG_TYPE_SCHED_CLS, &program);
	if (code)
		return code;
	if (!program)
		return usage_error("%s: no XDP or tc program to attach to %s", session->path,
				   interface);
	filter = &out->filters[out->filter_count++];
	*filter = (struct tc_filter){.ifindex = ifindex};
	return attach_tc(program, filter, interface);
}

static bool is_wanted(const struct session *session, const struct bpf_program *program)
{
	const char *name = session->line->option[OPTION_program];

	return !name || !strcmp(name, bpf_program__name(program));
}

static int say_nothing_to_attach(struct session *session)
{
	struct bpf_program *program;
	struct strbuf sections;
	int code;

	strbuf_init(&sections);
	bpf_object__for_each_program (program, session->object) {
		if (is_wanted(session, program))
			strbuf_addf(&sections, sections.length ? ", %s" : "%s",
				    bpf_program__section_name(program));
	}
	code = sections.length
		       ? usage_error(
				 "%s: nothing to attach by section name (%s): XDP and tc need "
				 "an interface (--on), a socket filter a socket of your own "
				 "program",
				 session->path, strbuf_text(&sections))
		       : usage_error("%s: no program named '%s'", session->path,
				     session->line->option[OPTION_program] ?: "");
	strbuf_done(&sections);
	return code;
}

/* Every program whose section libbpf knows how to attach. */
static int attach_sections(struct session *session, struct attachments *out)
{
	struct bpf_program *program;
	struct bpf_link *link;
	int code = 0;

	bpf_object__for_each_program (program, session->object) {
		if (code || out->link_count == ATTACHED_MAX)
			break;
		if (!is_wanted(session, program))
			continue;
		errno = 0;
		link = bpf_program__attach(program);
		if (!link && errno == EOPNOTSUPP)
			continue;
		code = keep_link(out, link, bpf_program__name(program),
				 bpf_program__section_name(program));
	}
	return code || out->link_count ? code : say_nothing_to_attach(session);
}

int open_ports(struct session *session, struct attachments *out)
{
	int code;

	if (session->on_linux)
		return 0;
	if (!option_given(session->line, OPTION_on))
		return usage_error("%s: --on PORT is missing (pcap:IN[:OUT], gen:..., "
				   "an interface; `skep port` lists them)",
				   session->line->command->words);
	code = each_port(session, out, open_port) ?: router_open(session);
	/* a router's routes may name programs, which are loaded behind this */
	return code || router_given(session->line) ? code : session_set_routes(session);
}

int attach_all(struct session *sessions, u32 count, struct attachments *out)
{
	if (!sessions->on_linux)
		return attach_at_ports(sessions, count, out);
	return option_given(sessions->line, OPTION_on)
		       ? each_port(sessions, out, attach_interface)
		       : attach_sections(sessions, out);
}

void detach_all(struct session *session, struct attachments *attachments)
{
	for (u32 i = 0; i < attachments->link_count; i++)
		bpf_link__destroy(attachments->links[i]);
	for (u32 i = 0; i < attachments->fd_count; i++)
		close(attachments->fds[i]);
	for (u32 i = 0; i < attachments->filter_count; i++)
		detach_tc(&attachments->filters[i]);
	for (u32 i = 0; i < attachments->port_count; i++)
		skep_port_close(session->engine, attachments->ports[i]);
	*attachments = (struct attachments){};
}
