/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs with types, as libbpf loads them: BTF, records of functions and lines, a type of the
 * kernel to attach to, kernel functions. In an engine that gives verdicts, so that everything
 * can be named. The input is a header (struct header), the BTF, the records, and the
 * instructions; a map operand's descriptor is an index into the maps there are.
 */
#include "fuzz/fuzz.h"
#include "isa/isa.h"
#include <linux/bpf.h>
#include <skep/skep.h>
#include <string.h>
#include <unistd.h>

#define INSNS_MAX 4096
#define LOG_SIZE  65536
#define FLAGS	  (BPF_F_SLEEPABLE | BPF_F_STRICT_ALIGNMENT | BPF_F_TEST_STATE_FREQ)

struct header {
	u8 type, attach, func_cnt, func_size;	  /* records, and bytes of each */
	u8 line_cnt, line_size, flags, map_types; /* whether maps have the program's types */
	u32 attach_btf_id;
	u32 btf_size;
};

struct input {
	const u8 *at;
	size_t left;
};

static struct skep_engine *engine;

static void explain(void *cookie, struct skep_explanation *explanation)
{
	skep_explanation_free(explanation);
}

static void make_engine(void)
{
	const struct skep_engine_opts opts = {
		.sz = sizeof(opts), .verify_only = true, .explain = explain};

	if (!engine)
		engine = skep_engine_new(&opts, NULL);
	REQUIRE(engine);
}

/* The next bytes, as many as there are. */
static const void *take(struct input *input, size_t *size)
{
	const u8 *bytes = input->at;

	*size = min(*size, input->left);
	input->at += *size;
	input->left -= *size;
	return bytes;
}

static int load_types(const void *btf, size_t size)
{
	union bpf_attr attr = {.btf = ptr_to_u64(btf), .btf_size = (u32)size};
	int fd = skep_bpf(engine, BPF_BTF_LOAD, &attr, sizeof(attr));

	return fd < 0 ? 0 : fd;
}

static int make_map(u32 type, u32 key, u32 value, int btf)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = key, .value_size = value, .max_entries = 4096};

	if (btf) {
		attr.btf_fd = (u32)btf;
		attr.btf_key_type_id = 1;
		attr.btf_value_type_id = 2;
	}
	return skep_bpf(engine, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void name_maps(struct bpf_insn *insns, u32 count, const int *maps, u32 map_cnt)
{
	for (u32 i = 0; i < count; i++)
		if (insn_is_wide(&insns[i]) && (insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
						insns[i].src_reg == BPF_PSEUDO_MAP_VALUE))
			insns[i].imm = maps[(u32)insns[i].imm % map_cnt];
}

static void load(const struct header *header, struct input *input)
{
	static struct bpf_insn insns[INSNS_MAX];
	static char log[LOG_SIZE];
	size_t btf_size = header->btf_size, size = (size_t)header->func_cnt * header->func_size;
	int btf = load_types(take(input, &btf_size), btf_size);
	const int maps[] = {make_map(BPF_MAP_TYPE_ARRAY, 4, 48, 0),
			    make_map(BPF_MAP_TYPE_ARRAY, 4, 16, header->map_types ? btf : 0),
			    make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 0)};
	union bpf_attr attr = {.prog_type = header->type,
			       .expected_attach_type = header->attach,
			       .prog_flags = header->flags & FLAGS,
			       .license = ptr_to_u64("GPL"),
			       .attach_btf_id = header->attach_btf_id,
			       .prog_btf_fd = (u32)btf,
			       .log_level = 2,
			       .log_buf = ptr_to_u64(log),
			       .log_size = sizeof(log)};
	int fd;

	attr.func_info = ptr_to_u64(take(input, &size));
	attr.func_info_rec_size = header->func_size;
	attr.func_info_cnt = header->func_size ? (u32)(size / header->func_size) : 0;
	size = (size_t)header->line_cnt * header->line_size;
	attr.line_info = ptr_to_u64(take(input, &size));
	attr.line_info_rec_size = header->line_size;
	attr.line_info_cnt = header->line_size ? (u32)(size / header->line_size) : 0;
	attr.insn_cnt = (u32)min(input->left / sizeof(*insns), (size_t)INSNS_MAX);
	attr.insns = ptr_to_u64(insns);
	memcpy(insns, input->at, attr.insn_cnt * sizeof(*insns));
	name_maps(insns, attr.insn_cnt, maps, ARRAY_SIZE(maps));
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	else
		REQUIRE(skep_engine_error(engine)->text[0]);
	for (u32 i = 0; i < ARRAY_SIZE(maps); i++)
		if (maps[i] >= 0)
			close(maps[i]);
	if (btf)
		close(btf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct header header;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	input.at += sizeof(header);
	input.left -= sizeof(header);
	make_engine();
	load(&header, &input);
	return 0;
}
