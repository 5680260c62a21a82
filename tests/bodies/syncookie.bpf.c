// SPDX-License-Identifier: BSD-2-Clause
/* SYN cookies. The cookie itself is of a secret; what it stands for, and what it is good for, not. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

#define EACCES 13

struct {
	struct tcphdr tcp;
	u8 options[40];
} segment;
struct iphdr ip;
struct ipv6hdr ip6;
long seen[32];

static void fill(u32 length)
{
	__builtin_memset(&segment, 0, sizeof(segment));
	segment.tcp.source = 1234;
	segment.tcp.dest = 80;
	segment.tcp.seq = __builtin_bswap32(1000);
	segment.tcp.doff = length / 4;
	segment.tcp.syn = 1;
	ip.saddr = 0x0100007f;
	ip.daddr = 0x0200007f;
	ip6.saddr.in6_u.u6_addr32[3] = 1;
	ip6.daddr.in6_u.u6_addr32[3] = 2;
}

static void set_size(u32 size)
{
	segment.options[0] = 1;
	segment.options[1] = 2;
	segment.options[2] = 4;
	segment.options[3] = size >> 8;
	segment.options[4] = size;
}

SEC("tc") int sizes(struct __sk_buff *skb)
{
	static const u32 sizes[] = {0, 1, 535, 536, 1299, 1300, 1439, 1440, 1460, 8940, 65535};

	for (int i = 0; i < 11; i++) {
		fill(28);
		set_size(sizes[i]);
		seen[i] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 28) >> 32;
		seen[i + 11] = bpf_tcp_raw_gen_syncookie_ipv6(&ip6, &segment.tcp, 28) >> 32;
	}
	return 0;
}

SEC("tc") int options(struct __sk_buff *skb)
{
	fill(28);
	seen[0] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 28) >> 32;
	seen[1] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 20);
	seen[2] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 12);
	seen[3] = bpf_tcp_raw_gen_syncookie_ipv6(&ip6, &segment.tcp, 12);
	segment.options[0] = 3;
	segment.options[1] = 9;
	seen[4] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 28) >> 32;
	segment.options[1] = 3;
	segment.options[3] = 2;
	segment.options[4] = 4;
	segment.options[5] = 6;
	seen[5] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 28) >> 32;
	segment.options[1] = 1;
	seen[6] = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 28) >> 32;
	return 0;
}

static void acknowledge(u32 cookie, u32 sequence)
{
	segment.tcp.syn = 0;
	segment.tcp.ack = 1;
	segment.tcp.seq = __builtin_bswap32(sequence);
	segment.tcp.ack_seq = __builtin_bswap32(cookie + 1);
}

SEC("tc") int they_come_back(struct __sk_buff *skb)
{
	u32 cookie;

	fill(20);
	cookie = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &segment.tcp, 20);
	acknowledge(cookie, 1001);
	CHECK(bpf_tcp_raw_check_syncookie_ipv4(&ip, &segment.tcp) == 0);
	acknowledge(cookie, 1002);
	CHECK(bpf_tcp_raw_check_syncookie_ipv4(&ip, &segment.tcp) == -EACCES);
	acknowledge(cookie ^ 4, 1001);
	CHECK(bpf_tcp_raw_check_syncookie_ipv4(&ip, &segment.tcp) == -EACCES);
	acknowledge(cookie, 1001);
	ip.saddr++;
	CHECK(bpf_tcp_raw_check_syncookie_ipv4(&ip, &segment.tcp) == -EACCES);

	fill(20);
	cookie = bpf_tcp_raw_gen_syncookie_ipv6(&ip6, &segment.tcp, 20);
	acknowledge(cookie, 1001);
	CHECK(bpf_tcp_raw_check_syncookie_ipv6(&ip6, &segment.tcp) == 0);
	segment.tcp.dest++;
	CHECK(bpf_tcp_raw_check_syncookie_ipv6(&ip6, &segment.tcp) == -EACCES);
	segment.tcp.ack_seq = 0;
	ip.saddr = 0;
	return 0;
}

char _license[] SEC("license") = "GPL";
