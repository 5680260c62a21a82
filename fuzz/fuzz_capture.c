/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a capture: every packet lies inside them, and the walk ends. */
#include "fuzz/fuzz.h"
#include "net/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_packet packet;
	struct capture_reader reader;
	struct skep_error err = {};
	int got = capture_open_bytes(&reader, "fuzz", data, size, &err);

	while (!got) {
		got = capture_next(&reader, &packet, &err);
		if (got != 1)
			break;
		REQUIRE(packet.data >= data && packet.data + packet.length <= data + size);
		REQUIRE(reader.packets <= size);
		got = 0;
	}
	if (got < 0)
		REQUIRE(err.code == got && *err.text);
	capture_close(&reader);
	return 0;
}
