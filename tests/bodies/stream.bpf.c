// SPDX-License-Identifier: BSD-2-Clause
/* What programs write for user space to read: run.c compares both streams. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

int bpf_stream_vprintk_impl(int stream, const char *format, const void *args, u32 size,
			    void *program) __ksym;

#define WRITE(stream, format, ...)                                                    \
	({                                                                            \
		static const char text[] = format;                                    \
		u64 args[] = {__VA_ARGS__};                                           \
                                                                                      \
		bpf_stream_vprintk_impl(stream, text, args, sizeof(args), NULL);      \
	})

long seen[64];

#define ENOMEM 12
#define ENOSPC 28

/* Linux may have no memory for streams at hand. */
static bool is_written(long ret)
{
	return !ret || ret == -ENOMEM;
}

SEC("syscall") int both(void *ctx)
{
	CHECK(is_written(WRITE(1, "one: %d\n", 1)));
	CHECK(is_written(WRITE(2, "two: %llx %c", 0x123456789, 'c')));
	CHECK(is_written(WRITE(1, "%5d|%-5d|%05u\n", 7, 7, 7)));
	return 0;
}

SEC("syscall") int neither(void *ctx)
{
	seen[0] = WRITE(0, "nowhere %d", 1);
	seen[1] = WRITE(3, "nowhere %d", 1);
	seen[2] = WRITE(-1, "nowhere %d", 1);
	seen[3] = WRITE(1, "%d %", 1);
	seen[4] = WRITE(1, "%d %d", 1);
	return 0;
}

/* Until no more is kept. */
SEC("syscall") int full(void *ctx)
{
	long ret = 0;

	for (int i = 0; i < 300 && !ret; i++)
		ret = WRITE(1, "%400d\n", i);
	CHECK(ret == -ENOSPC || ret == -ENOMEM);
	return 0;
}

/* Any program may. */
SEC("tc") int of_packet(struct __sk_buff *skb)
{
	CHECK(is_written(WRITE(2, "%d bytes\n", skb->len)));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
