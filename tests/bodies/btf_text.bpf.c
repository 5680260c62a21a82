// SPDX-License-Identifier: BSD-2-Clause
/* Text of values by the kernel's types: what Linux writes is compared byte by byte. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "check.h"

#define TEXTS 8

char text[TEXTS][1100] __attribute__((aligned(8)));
long seen[64];
u64 zeros[16];

#define SHOW(at, type, flags, address)                                                       \
	({                                                                                   \
		struct btf_ptr what = {};                                                    \
		what.ptr = (address);                                                        \
		what.type_id = bpf_core_type_id_kernel(type);                                \
		seen[at] = bpf_snprintf_btf(text[at], sizeof(text[at]), &what, sizeof(what), \
					    (flags) | BTF_F_PTR_RAW);                        \
		seen[at];                                                                    \
	})

/* All forms of one value. */
#define FORMS(type, address)                                                  \
	do {                                                                  \
		CHECK(SHOW(0, type, 0, address) > 0);                         \
		CHECK(SHOW(1, type, BTF_F_COMPACT, address) > 0);             \
		CHECK(SHOW(2, type, BTF_F_NONAME, address) > 0);              \
		CHECK(SHOW(3, type, BTF_F_ZERO, address) > 0);                \
		CHECK(SHOW(4, type, BTF_F_COMPACT | BTF_F_NONAME, address) > 0); \
		CHECK(SHOW(5, type, BTF_F_COMPACT | BTF_F_ZERO, address) > 0); \
		CHECK(SHOW(6, type, BTF_F_ZERO, zeros) > 0);                  \
	} while (0)

struct bpf_insn insn = {.code = 1, .dst_reg = 2, .src_reg = 3, .off = -4, .imm = 5};
struct list_head list = {(void *)0x1234560, 0};
enum bpf_cmd known = BPF_MAP_FREEZE, unknown = 2000;
struct bpf_prog_info info = {.type = 3, .name = "abc", .tag = {1, 2, 3, 0, 0, 5}};
struct in6_addr address = {.in6_u = {.u6_addr32 = {1, 0, 3}}};
struct tcphdr header = {.source = 1, .syn = 1, .doff = 5};
struct bpf_sock_tuple tuple = {.ipv4 = {.saddr = 1, .dport = 2}};
struct minmax samples = {.s = {{1, 2}, {0, 0}, {0, 4}}};
struct mls_range range = {.level = {{1}}};
/* Linux shows the first element of an array of pointers for all of them. */
struct netns_bpf networks = {.run_array = {(void *)5, (void *)5}, .links = {{(void *)1}}};
int number = -4567;

SEC("syscall") int instructions(void *ctx)
{
	FORMS(struct bpf_insn, &insn);
	return 0;
}

SEC("syscall") int pointers(void *ctx)
{
	FORMS(struct list_head, &list);
	return 0;
}

SEC("syscall") int enumerations(void *ctx)
{
	FORMS(enum bpf_cmd, &known);
	SHOW(7, enum bpf_cmd, 0, &unknown);
	return 0;
}

SEC("syscall") int enumerations_that_are_members(void *ctx)
{
	FORMS(struct tick_device, zeros);
	return 0;
}

SEC("syscall") int letters(void *ctx)
{
	FORMS(struct bpf_prog_info, &info);
	return 0;
}

SEC("syscall") int unions(void *ctx)
{
	FORMS(struct in6_addr, &address);
	return 0;
}

SEC("syscall") int unnamed_members(void *ctx)
{
	FORMS(struct bpf_sock_tuple, &tuple);
	return 0;
}

SEC("syscall") int bit_fields(void *ctx)
{
	FORMS(struct tcphdr, &header);
	return 0;
}

SEC("syscall") int arrays_of_structures(void *ctx)
{
	FORMS(struct minmax, &samples);
	return 0;
}

SEC("syscall") int arrays_in_structures_in_arrays(void *ctx)
{
	FORMS(struct dmi_system_id, &range);
	return 0;
}

SEC("syscall") int arrays_of_pointers(void *ctx)
{
	FORMS(struct netns_bpf, &networks);
	return 0;
}

SEC("syscall") int pointers_to_functions(void *ctx)
{
	FORMS(struct uprobe_consumer, &networks);
	return 0;
}

SEC("syscall") int typedefs(void *ctx)
{
	FORMS(struct rw_semaphore, &range);
	return 0;
}

SEC("syscall") int numbers_alone(void *ctx)
{
	FORMS(int, &number);
	SHOW(7, unsigned int, 0, &number);
	return 0;
}

SEC("syscall") int what_is_refused(void *ctx)
{
	struct btf_ptr what = {};

	what.ptr = &insn;
	what.type_id = bpf_core_type_id_kernel(struct bpf_insn);
	seen[0] = bpf_snprintf_btf(text[0], 8, &what, sizeof(what), 0);
	seen[1] = bpf_snprintf_btf(text[1], 1, &what, sizeof(what), 0);
	seen[2] = bpf_snprintf_btf(text[2], 100, &what, sizeof(what), 0x100);
	seen[3] = bpf_snprintf_btf(text[3], 100, &what, 8, 0);
	what.flags = 1;
	seen[4] = bpf_snprintf_btf(text[4], 1000, &what, sizeof(what), 0);
	what.ptr = NULL;
	seen[5] = bpf_snprintf_btf(text[5], 100, &what, sizeof(what), 0);
	what.type_id = 0xffffff;
	seen[6] = bpf_snprintf_btf(text[6], 100, &what, sizeof(what), 0);
	what.type_id = 0;
	seen[7] = bpf_snprintf_btf(text[7], 100, &what, sizeof(what), 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
