/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs an example's program on every packet of a capture, in skep and in the live kernel,
 * through the same libbpf calls, and compares result, errno and every byte of the packet
 * afterwards.
 *
 * usage: compare OBJECT PROGRAM CAPTURE
 * Exit code: 0 equal, 1 different, 77 no bpf(2) here.
 */
#include "net/capture.h"
#include "shim/wrap.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MAX (256 * 1024)
#define SHOWN_MAX  5

struct side {
	const char *name;
	struct skep_engine *engine; /* NULL: the kernel */
	struct bpf_object *object;
	int program;
	u8 *data; /* the packet afterwards */
	u32 size, retval;
	int code;
};

/* The firewall's tables, as the demo fills them; other examples have no such maps. */
static int fill_tables(struct bpf_object *object)
{
	const struct {
		u32 length, address;
	} prefix = {32, htonl(0x0a4d0042)};
	const struct {
		u32 source, destination;
		u16 source_port, destination_port;
		u8 protocol, unused[3];
	} flow = {.destination = htonl(0xc0a84d01),
		  .destination_port = htons(53),
		  .protocol = 17};
	const u32 rule[2] = {1, 1};
	const u64 zero = 0;
	struct bpf_map *blocklist = bpf_object__find_map_by_name(object, "blocklist");
	struct bpf_map *rules = bpf_object__find_map_by_name(object, "rules");

	if (!blocklist || !rules)
		return 0;
	return bpf_map_update_elem(bpf_map__fd(blocklist), &prefix, &zero, 0)
		       ?: bpf_map_update_elem(bpf_map__fd(rules), &flow, rule, 0);
}

static int side_open(struct side *side, const char *object, const char *program)
{
	struct bpf_program *found;
	int code;

	wrap_use_engine(side->engine);
	side->data = malloc(PACKET_MAX);
	side->object = bpf_object__open_file(object, NULL);
	if (!side->data || !side->object)
		return -errno;
	code = bpf_object__load(side->object);
	if (code)
		return code;
	found = bpf_object__find_program_by_name(side->object, program);
	side->program = found ? bpf_program__fd(found) : -ENOENT;
	return side->program < 0 ? side->program : fill_tables(side->object);
}

static void side_close(struct side *side)
{
	wrap_use_engine(side->engine);
	bpf_object__close(side->object);
	free(side->data);
}

static void side_run(struct side *side, const struct capture_packet *packet)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data,
		    .data_size_in = packet->length, .data_out = side->data,
		    .data_size_out = PACKET_MAX, .repeat = 1);

	wrap_use_engine(side->engine);
	side->code = bpf_prog_test_run_opts(side->program, &opts);
	side->retval = side->code ? 0 : opts.retval;
	side->size = side->code ? 0 : opts.data_size_out;
}

static bool is_equal(const struct side *a, const struct side *b)
{
	return a->code == b->code && a->retval == b->retval && a->size == b->size &&
	       !memcmp(a->data, b->data, a->size);
}

static void print_difference(const struct side *side)
{
	printf("# %-5s errno %d, result %u, %u bytes:", side->name, -side->code, side->retval,
	       side->size);
	for (u32 i = 0; i < min(side->size, 96u); i++)
		printf(" %02x", side->data[i]);
	putchar('\n');
}

static int compare(struct side *skep, struct side *linux_side, const char *path)
{
	u64 differences = 0, refused = 0, results[8] = {};
	struct capture_packet packet;
	struct capture_reader reader;
	struct skep_error err;
	int got;

	if (capture_open(&reader, path, &err)) {
		printf("# %s\n", err.text);
		return 1;
	}
	while ((got = capture_next(&reader, &packet, &err)) == 1) {
		side_run(skep, &packet);
		side_run(linux_side, &packet);
		refused += linux_side->code != 0;
		results[min(skep->retval, 7u)]++;
		if (is_equal(skep, linux_side))
			continue;
		if (differences++ >= SHOWN_MAX)
			continue;
		printf("# packet %llu, %u bytes\n", reader.packets, packet.length);
		print_difference(skep);
		print_difference(linux_side);
	}
	printf("# %llu packets, %llu different, %llu that the kernel does not run (size); aborted %llu, "
	       "drop %llu, pass %llu, tx %llu, redirect %llu\n",
	       reader.packets, differences, refused, results[0], results[1], results[2],
	       results[3], results[4]);
	got = differences || got < 0 || reader.packets == refused;
	capture_close(&reader);
	return got;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vprintf(format, args) : 0;
}

int main(int argc, char **argv)
{
	struct side skep = {.name = "skep"}, kernel = {.name = "linux"};
	struct skep_error err;
	int code;

	if (argc != 4)
		return 2;
	libbpf_set_print(quiet);
	skep.engine = skep_engine_new(NULL, &err);
	code = side_open(&kernel, argv[1], argv[2]);
	if (code == -EPERM)
		return 77;
	if (code || (code = side_open(&skep, argv[1], argv[2]))) {
		printf("# cannot load: %s\n", strerror(-code));
		return 1;
	}
	code = compare(&skep, &kernel, argv[3]);
	side_close(&skep);
	side_close(&kernel);
	wrap_use_linux();
	skep_engine_free(skep.engine);
	return code;
}
