/* SPDX-License-Identifier: BSD-2-Clause */
/* Filter and count the packets of a capture, its pages in the cache. */
#include "datapath.h"

#include <fcntl.h>
#include <skep/port.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKETS 2000000u
#define PATH	"/dev/shm/skep-bench.pcap"
#define RECORD	(16 + PACKET_BYTES)

/* Made once, removed at the end of the process. */
static void remove_file(void)
{
	unlink(PATH);
}

static bool make_file(char why[256])
{
	static bool is_made;
	const u32 header[] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
	u32 record[] = {0, 0, PACKET_BYTES, PACKET_BYTES};
	FILE *file = is_made ? NULL : fopen(PATH, "we");

	if (is_made)
		return true;
	if (file) {
		fwrite(header, sizeof(header), 1, file);
		for (u32 i = 0; i < PACKETS; i++) {
			record[1] = i % 1000000;
			fwrite(record, sizeof(record), 1, file);
			fwrite(bench_packet, PACKET_BYTES, 1, file);
		}
		is_made = !fclose(file);
		atexit(remove_file);
	}
	if (!is_made)
		snprintf(why, 256, PATH ": cannot be written");
	return is_made;
}

static u64 count_once(void)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	u64 matches = 0;
	struct stat info;
	u8 *bytes;

	if (fd < 0 || fstat(fd, &info))
		return 0;
	bytes = mmap(NULL, info.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return 0;
	for (size_t at = 24; at + 16 <= info.st_size;) {
		u32 length;

		memcpy(&length, bytes + at + 8, sizeof(length));
		matches += bare_parse(bytes + at + 16, length);
		at += 16 + length;
	}
	munmap(bytes, info.st_size);
	return matches;
}

int measure_bare_pcap(double seconds, struct rate *out, char why[256])
{
	const double start = cpu_seconds();

	if (!make_file(why))
		return 1;
	*out = (struct rate){};
	while (out->seconds < seconds) {
		out->packets += count_once();
		out->seconds = cpu_seconds() - start;
	}
	return 0;
}

int measure_pcap(double seconds, struct rate *out, char why[256])
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	struct skep_engine *engine;
	double start;
	int port;

	if (!make_file(why))
		return 1;
	*out = (struct rate){};
	while (out->seconds < seconds) {
		engine = bench_engine("drop", "pcap:" PATH, &port, why);
		if (!engine)
			return 1;
		start = cpu_seconds();
		skep_ports_run(engine, NULL, NULL);
		out->seconds += cpu_seconds() - start;
		skep_port_stats(engine, port, &stats);
		out->packets += stats.verdict_packets[SKEP_VERDICT_DROP];
		skep_engine_free(engine);
	}
	return 0;
}
