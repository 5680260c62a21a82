// SPDX-License-Identifier: BSD-2-Clause
/* Formats, and the strings that helpers take. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "verdict.h"

static const char one_number[] = "%d", two_numbers[] = "%d %d", unknown[] = "%y",
		  plain[] = "100 %%";
static const char text[] = "%s of %p4";

SEC("tc") ACCEPT int formats(struct __sk_buff *skb)
{
	__u64 numbers[2] = {skb->len, skb->mark};
	char out[32];

	return bpf_snprintf(out, sizeof(out), two_numbers, numbers, sizeof(numbers)) > 3;
}

SEC("tc") ACCEPT int formats_fewer(struct __sk_buff *skb)
{
	__u64 numbers[2] = {skb->len, skb->mark};
	char out[32];

	return bpf_snprintf(out, sizeof(out), one_number, numbers, sizeof(numbers)) > 3;
}

SEC("tc") ACCEPT int formats_nothing(struct __sk_buff *skb)
{
	char out[32];

	return bpf_snprintf(out, sizeof(out), plain, 0, 0) > 3;
}

SEC("tc") REJECT("Invalid format string") int formats_more(struct __sk_buff *skb)
{
	__u64 numbers[1] = {skb->len};
	char out[32];

	return bpf_snprintf(out, sizeof(out), two_numbers, numbers, sizeof(numbers)) > 3;
}

SEC("tc") REJECT("Invalid format string") int formats_unknown(struct __sk_buff *skb)
{
	__u64 numbers[1] = {skb->len};
	char out[32];

	return bpf_snprintf(out, sizeof(out), unknown, numbers, sizeof(numbers)) > 3;
}

SEC("tc") REJECT("Invalid format string") int formats_text(struct __sk_buff *skb)
{
	__u64 numbers[2] = {skb->len, skb->mark};
	char out[32];

	return bpf_snprintf(out, sizeof(out), text, numbers, sizeof(numbers)) > 3;
}

/* Linux says no reason. */
SEC("tc")
REJECT("R5 is 12: arguments of a format have 8 bytes each")
int formats_part(struct __sk_buff *skb)
{
	__u64 numbers[2] = {skb->len, skb->mark};
	char out[32];

	return bpf_snprintf(out, sizeof(out), one_number, numbers, 12) > 3;
}

SEC("tc")
REJECT("R3 type=fp expected=map_value") int format_on_stack(struct __sk_buff *skb)
{
	char out[32], format[] = "%d";
	__u64 numbers[1] = {skb->len};

	return bpf_snprintf(out, sizeof(out), format, numbers, sizeof(numbers)) > 3;
}

char _license[] SEC("license") = "GPL";
