/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of bpf(2) as Linux 6.18 knows them: 168 bytes. linux/bpf.h may be older (6.1
 * knows 144), so members that came later are named here, by their place.
 */
#ifndef SKEP_SYS_ATTR_H
#define SKEP_SYS_ATTR_H

#include "base/types.h"
#include "catalog/uapi.h"

#define ATTR_SIZE 168

/* Flags newer than the header. */
#define ATTR_PATH_FD  (1u << 14) /* BPF_F_PATH_FD: of OBJ_PIN and OBJ_GET */
#define ATTR_TOKEN_FD (1u << 16) /* BPF_F_TOKEN_FD: of MAP_CREATE, PROG_LOAD and BTF_LOAD */

struct attr_map_create {
	u8 older[72];
	s32 value_type_btf_obj_fd;
	s32 map_token_fd;
	u64 excl_prog_hash;
	u32 excl_prog_hash_size;
};

struct attr_prog_load {
	u8 older[140];
	u32 log_true_size;
	s32 prog_token_fd;
	u32 fd_array_cnt;
	u64 signature;
	u32 signature_size;
	s32 keyring_id;
};

struct attr_btf_load {
	u8 older[28];
	u32 btf_log_true_size;
	u32 btf_flags;
	s32 btf_token_fd;
};

struct attr_object {
	u8 older[16];
	s32 path_fd;
};

struct attr_detach {
	u8 older[20];
	u32 relative_fd;
	u64 expected_revision;
};

struct attr_query {
	u8 older[32];
	u64 prog_attach_flags;
	u64 link_ids;
	u64 link_attach_flags;
	u64 revision;
};

struct attr_raw_tracepoint {
	u8 older[16];
	u64 cookie;
};

struct attr_stream_read {
	u64 stream_buf;
	u32 stream_buf_len, stream_id, prog_fd;
};

struct attr_link_create {
	u8 older[16];
	u32 relative_fd;
	u64 expected_revision;
};

union attr {
	u8 bytes[ATTR_SIZE];
	union bpf_attr v;
	struct attr_map_create map_create;
	struct attr_prog_load prog_load;
	struct attr_btf_load btf_load;
	struct attr_object object;
	struct attr_detach detach;
	struct attr_query query;
	struct attr_link_create link_create;
	struct attr_raw_tracepoint raw_tracepoint;
	struct attr_stream_read stream_read;
};

_Static_assert(sizeof(struct attr_prog_load) == ATTR_SIZE, "the last member ends the attr");
_Static_assert(offsetof(struct attr_map_create, excl_prog_hash_size) == 88, "as Linux 6.18");
_Static_assert(offsetof(struct attr_query, revision) == 56, "as Linux 6.18");
_Static_assert(offsetof(struct attr_link_create, expected_revision) == 24, "as Linux 6.18");
_Static_assert(offsetof(struct attr_btf_load, btf_token_fd) == 36, "as Linux 6.18");

#endif
