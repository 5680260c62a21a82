// SPDX-License-Identifier: BSD-2-Clause
/* What a port knows of packets beside their bytes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The names are the kernel's. */
enum xdp_rss_hash_type { XDP_RSS_TYPE_NONE };

extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp) __ksym;
extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash,
				    enum xdp_rss_hash_type *rss_type) __ksym;
extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx, __be16 *vlan_proto,
					__u16 *vlan_tci) __ksym;

struct known {
	__s32 time_result, hash_result, vlan_result;
	__u32 hash_type;
	__u64 time;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct known);
} last SEC(".maps");

SEC("xdp") int known(struct xdp_md *ctx)
{
	enum xdp_rss_hash_type type = 0;
	__u32 zero = 0, hash;
	struct known *known = bpf_map_lookup_elem(&last, &zero);
	__u64 time = 0;
	__be16 proto;
	__u16 tci;

	if (!known)
		return XDP_ABORTED;
	known->time_result = bpf_xdp_metadata_rx_timestamp(ctx, &time);
	known->hash_result = bpf_xdp_metadata_rx_hash(ctx, &hash, &type);
	known->vlan_result = bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci);
	known->time = time;
	known->hash_type = type;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
