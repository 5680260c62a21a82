// SPDX-License-Identifier: BSD-2-Clause
/*
 * Replaces a function of a program that is loaded already, with libbpf alone: the same program
 * runs on the kernel and under `skep exec` (README.md).
 *
 *     freplace SERVICE-OBJECT PLUGIN-OBJECT
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

static int verdict_of(int service_fd, unsigned int length)
{
	static char packet[128];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = length);
	int ret = bpf_prog_test_run_opts(service_fd, &run);

	return ret ? ret : (int)run.retval;
}

static void show(int service_fd, const char *when)
{
	printf("%s: 40 bytes %d, 100 bytes %d\n", when, verdict_of(service_fd, 40),
	       verdict_of(service_fd, 100));
}

static struct bpf_program *only_program(struct bpf_object *object)
{
	return bpf_object__next_program(object, NULL);
}

/* The plug-in is verified against the function that it replaces. */
static int load_plugin(struct bpf_object *plugin, int service_fd)
{
	int ret = bpf_program__set_attach_target(only_program(plugin), service_fd, "plugin");

	return ret ? ret : bpf_object__load(plugin);
}

static int replace(struct bpf_object *plugin, int service_fd)
{
	struct bpf_link *link;

	if (load_plugin(plugin, service_fd)) {
		fprintf(stderr, "freplace: the plug-in cannot be loaded\n");
		return 1;
	}
	link = bpf_program__attach_freplace(only_program(plugin), service_fd, "plugin");
	if (!link) {
		perror("freplace: attach");
		return 1;
	}
	show(service_fd, "replaced");
	bpf_link__destroy(link);
	show(service_fd, "without the link");
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *service, *plugin;
	int ret = 1, service_fd;

	if (argc != 3) {
		fprintf(stderr, "usage: freplace SERVICE-OBJECT PLUGIN-OBJECT\n");
		return 2;
	}
	service = bpf_object__open(argv[1]);
	plugin = bpf_object__open(argv[2]);
	if (service && plugin && !bpf_object__load(service)) {
		service_fd = bpf_program__fd(only_program(service));
		show(service_fd, "its own function");
		ret = replace(plugin, service_fd);
	}
	bpf_object__close(plugin);
	bpf_object__close(service);
	return ret;
}
