/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/ladder.h"
#include "linux/rights.h"

#include <errno.h>
#include <linux/if_link.h>
#include <skep/port.h>
#include <stdio.h>
#include <string.h>

struct step {
	const char *name, *cost;
	const char *spec; /* of the engine's port, around the interface's name */
	u32 flags;	  /* of the kernel's link */
};

static const struct step engine_steps[] = {
	{"AF_XDP zero-copy", "none: the interface writes to memory that programs work on",
	 "xdp:%s,zerocopy", 0},
	{"AF_XDP copy", "one copy of each packet", "xdp:%s,copy", 0},
	{"AF_PACKET",
	 "a socket buffer and a copy of each packet; the host's stack sees what programs drop, too",
	 "packet:%s", 0},
};

static const struct step kernel_steps[] = {
	{"offload", "none: the interface runs the program itself", NULL, XDP_FLAGS_HW_MODE},
	{"native", "little: the driver runs the program before there is a socket buffer", NULL,
	 XDP_FLAGS_DRV_MODE},
	{"generic", "a socket buffer for each packet before the program runs", NULL,
	 XDP_FLAGS_SKB_MODE},
};

struct ladder {
	struct session *session;
	const char *interface;
	const struct step *steps;
	u32 count;
	struct strbuf not_taken; /* lines "STEP: reason" */
	/* Tries a step: 0, or a negative errno and why not. */
	int (*try)(struct ladder *ladder, const struct step *step, char why[SKEP_ERROR_TEXT]);
	const struct bpf_program *program;
	u32 ifindex; /* kernel's: of the interface */
	int port;    /* engine's: what was opened */
};

/* Text goes to standard error, so that it stands apart from what the run shows. */
static void show(const struct ladder *ladder, const struct step *step)
{
	struct output *output = &ladder->session->line->output;
	const char *line = strbuf_text(&ladder->not_taken);

	if (output->is_json) {
		output_begin(output, "interface");
		output_string(output, "interface", ladder->interface);
		output_string(output, "mode", step->name);
		output_string(output, "cost", step->cost);
		output_lines(output, "not_taken", line);
		output_end(output);
		return;
	}
	fprintf(stderr, "%s: %s; cost: %s\n", ladder->interface, step->name, step->cost);
	while (*line) {
		const size_t length = strcspn(line, "\n") + 1;

		fputs("  not ", stderr);
		fwrite(line, 1, length, stderr);
		line += length;
	}
}

static int climb(struct ladder *ladder)
{
	char why[SKEP_ERROR_TEXT];
	int code = -EOPNOTSUPP;

	strbuf_init(&ladder->not_taken);
	for (u32 i = 0; i < ladder->count && code; i++) {
		why[0] = '\0';
		code = ladder->try(ladder, &ladder->steps[i], why);
		if (code)
			strbuf_addf(&ladder->not_taken, "%s: %s\n", ladder->steps[i].name, why);
		else
			show(ladder, &ladder->steps[i]);
	}
	if (code)
		usage_error("%s: there is no way to it\n%s", ladder->interface,
			    strbuf_text(&ladder->not_taken));
	strbuf_done(&ladder->not_taken);
	return code ? EXIT_NO_VERDICT : 0;
}

static int try_port(struct ladder *ladder, const struct step *step, char why[SKEP_ERROR_TEXT])
{
	struct skep_error err = {};
	char spec[64];

	snprintf(spec, sizeof(spec), step->spec, ladder->interface);
	ladder->port = skep_port_open(ladder->session->engine, spec, &err);
	strcpy(why, err.text);
	return min(ladder->port, 0);
}

int ladder_open_port(struct session *session, const char *interface, int *port)
{
	struct ladder ladder = {
		.session = session,
		.interface = interface,
		.steps = engine_steps,
		.count = ARRAY_SIZE(engine_steps),
		.try = try_port,
	};
	int code = climb(&ladder);

	*port = ladder.port;
	return code;
}

static int try_mode(struct ladder *ladder, const struct step *step, char why[SKEP_ERROR_TEXT])
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = step->flags);
	int fd = bpf_link_create(bpf_program__fd(ladder->program), (int)ladder->ifindex,
				 BPF_XDP, &opts);
	const int error = fd < 0 ? errno : 0;

	if (!error)
		return 0;
	if (error == EBUSY || error == EEXIST)
		strcpy(why, "the interface has an XDP program already");
	else if (step->flags == XDP_FLAGS_HW_MODE)
		strcpy(why,
		       "the interface cannot run programs itself, or this one was not loaded "
		       "for it");
	else if (error == EOPNOTSUPP)
		strcpy(why, "the driver has no XDP");
	else
		snprintf(why, SKEP_ERROR_TEXT, "%s%s", strerror(error),
			 linux_missing_right(error));
	return -error;
}

int ladder_attach_xdp(struct session *session, const struct bpf_program *program, u32 ifindex,
		      const char *interface)
{
	struct ladder ladder = {
		.session = session,
		.interface = interface,
		.steps = kernel_steps,
		.count = ARRAY_SIZE(kernel_steps),
		.try = try_mode,
		.program = program,
		.ifindex = ifindex,
	};

	return climb(&ladder);
}
