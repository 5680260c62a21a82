/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/router.h"

#include <arpa/inet.h>
#include <skep/forward.h>
#include <stdio.h>
#include <string.h>

bool router_given(const struct command_line *line)
{
	return option_given(line, OPTION_forward);
}

static bool is_host(const struct session *session)
{
	return !strcmp(session->line->option[OPTION_routes], "host");
}

int router_open(struct session *session)
{
	if (!router_given(session->line))
		return 0;
	if (session->on_linux)
		return usage_error("--forward is for the skep target; Linux has a stack");
	if (!option_given(session->line, OPTION_routes))
		return usage_error(
			"--forward: --routes FILE|host is missing, which has addresses "
			"and routes (`skep address add`, `skep route add`)");
	if (skep_forward(session->engine, true))
		return usage_error("--forward: %s", skep_engine_error(session->engine)->text);
	return 0;
}

static void look_at_file(struct router *router)
{
	if (stat(router->session->line->option[OPTION_routes], &router->file))
		router->file = (struct stat){};
}

int router_start(struct router *router, struct session *session)
{
	if (!router_given(session->line))
		return 0;
	router->session = session;
	if (!is_host(session))
		look_at_file(router);
	return session_set_routes(session);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void router_poll(struct router *router)
{
	const struct stat before = router->file;

	if (!router->session || is_host(router->session))
		return;
	look_at_file(router);
	if (router->file.st_ino && !is_same_file(&before, &router->file))
		session_set_routes(router->session);
}

static void print_counts(struct session *session, int port)
{
	struct output *output = &session->line->output;
	uint64_t counts[SKEP_FORWARD_COUNTS];

	if (skep_forward_counts(session->engine, port, counts, SKEP_FORWARD_COUNTS))
		return;
	output_begin(output, "forwarding");
	output_number(output, "port", (u64)port);
	for (u32 i = 0; i < SKEP_FORWARD_COUNTS; i++) {
		if (!counts[i] && !output->is_json)
			continue;
		if (i)
			output_line(output);
		output_number(output, skep_forward_name(i), counts[i]);
		if (!output->is_json)
			output_bare(output, "", skep_forward_text(i));
	}
	output_end(output);
}

static void print_neighbour(void *cookie, const struct skep_neighbour *neighbour)
{
	const u8 *mac = neighbour->mac;
	char address[INET6_ADDRSTRLEN] = "", link[18];

	inet_ntop(neighbour->family, neighbour->address, address, sizeof(address));
	snprintf(link, sizeof(link), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	output_begin(cookie, "neighbour");
	output_bare(cookie, "address", address);
	output_number(cookie, "port", (u64)neighbour->ifindex);
	output_string(cookie, "lladdr", link);
	output_bare(cookie, "state", neighbour->state);
	output_end(cookie);
}

void router_summary(struct session *session, const struct attachments *attachments)
{
	if (!router_given(session->line))
		return;
	for (u32 i = 0; i < attachments->port_count; i++)
		print_counts(session, attachments->ports[i]);
	skep_neighbours(session->engine, print_neighbour, &session->line->output);
}
