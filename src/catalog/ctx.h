/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts: what a program's r1 points to. A program sees the layout of Linux's uapi (struct
 * __sk_buff, struct xdp_md, ...); the memory behind r1 is one of the structures here. The rows
 * of ctx.def join the two: the verifier checks an access against the row, the executors turn it
 * into an access to the engine's own field (struct ctx_field). Contexts whose uapi layout is
 * their real layout (pt_regs, tracepoint records, raw tracepoint arguments, bpf_sysctl, ...)
 * have rows without CTX_CONVERTED: loads and stores go to the memory as they stand.
 */
#ifndef SKEP_CATALOG_CTX_H
#define SKEP_CATALOG_CTX_H

#include "base/types.h"
#include "catalog/uapi.h"

#define PACKET_HEADROOM 256

/* What Linux keeps for itself at the start of the headroom (struct xdp_frame): a program that
 * would move its packet there is refused, here as there. */
#define PACKET_HEADROOM_KEPT 40

/* What the port knows of an XDP frame beside its bytes. */
enum xdp_rx_known { XDP_RX_TIME = 1, XDP_RX_HASH = 2, XDP_RX_VLAN = 4 };

struct xdp_rx {
	u32 able, known; /* XDP_RX_*: of any frame of the port, of this one */
	u32 hash;
	u16 vlan_proto, vlan_tci; /* host order */
	u64 time_ns;
};

/* struct xdp_md's real side. Pointers are ordered hard_start <= meta <= data <= data_end <=
 * frame_end. */
struct xdp_ctx {
	u8 *data, *data_end;
	u8 *data_meta;	/* == data: no metadata; > data: metadata not supported */
	u8 *hard_start; /* first byte of the headroom */
	u8 *frame_end;	/* end of the memory that adjust_tail may use */
	/* What follows data_end, out of the program's direct reach, in pages from `pages` on.
	 */
	u8 *fragments, *pages;
	u8 *pages_end; /* of their memory */
	u32 fragment_bytes;
	u32 ingress_ifindex, rx_queue_index, egress_ifindex;
	u32 flags;		 /* XDP_CTX_* */
	const struct xdp_rx *rx; /* NULL: nothing is known */
};

struct owner;
struct socket_entry;

/* A socket as the bpf_sock* views show it. */
struct sock_ctx {
	struct bpf_sock view; /* host's own fields in uapi layout */
	u64 cookie; /* 0: it has none, and its local storage ends with whoever made it */
	u32 uid;
	/* What a map of sockets (map/socket.c) keeps beside it; NULL: it is in none. */
	const struct socket_entry *entry;
	u32 descriptor; /* of the process, plus 1, by which its options are reached; 0: none */
	bool is_ipv6_only;
	bool is_found;	     /* by a program, which releases it (map/socket_find.h) */
	struct owner *owner; /* without a cookie: of local storage, owned; NULL: none yet */
};

/* The tunnel that a program chose for the packet. */
struct skb_tunnel {
	bool is_set, is_ipv6, has_options;
	u8 option_bytes;
	struct bpf_tunnel_key key; /* as set; tunnel_flags: as a reader sees them */
	u8 options[255];
};

/* struct __sk_buff's real side. */
struct skb_ctx {
	u8 *data, *data_end;
	u8 *data_meta;
	u8 *hard_start, *frame_end;
	u8 *mac_header;	     /* NULL: none */
	u8 *network_header;  /* NULL: unknown */
	struct sock_ctx *sk; /* NULL: none */
	struct bpf_flow_keys *flow_keys;
	u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto;
	u32 priority, ingress_ifindex, ifindex, tc_index, cb[5], hash, tc_classid, napi_id;
	u32 family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port;
	u32 wire_len, gso_segs, gso_size;
	u64 tstamp, hwtstamp;
	u8 tstamp_type;
	/* beside the uapi's view */
	bool is_checksum_good; /* somebody verified the checksums up to checksum_level */
	u8 checksum_level;     /* of encapsulated ones */
	bool is_encapsulated;  /* skb_adjust_room() wrapped it */
	bool is_at_ingress;    /* of a port, before it is known whose it is */
	struct skb_tunnel tunnel;
};

#endif
