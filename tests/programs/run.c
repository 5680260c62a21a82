/* SPDX-License-Identifier: BSD-2-Clause */
/* A program test on a target, through bpf(2) only. */
#include "catalog/prog.h"
#include "program_test.h"
#include "tests/linux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_SIZE     (1u << 20)
#define PACKET_LIMIT 4096
#define DEFAULT_DATA 64 /* bytes of 0 */

struct session {
	const struct program_test *test;
	const struct target *target;
	struct strbuf *why;
	int map_fds[TEST_MAPS];
	u32 map_cnt; /* created so far */
	int prog_fd;
	char *log;
};

static int call(struct session *session, int cmd, union bpf_attr *attr)
{
	return target_bpf(session->target, cmd, attr);
}

static enum outcome fail(struct session *session, const char *what, int error)
{
	strbuf_addf(session->why, "%s: %s", what, strerror(-error));
	return OUTCOME_FAIL;
}

/* --- maps --- */

static enum outcome fill_map(struct session *session, const struct test_map *map, int fd)
{
	for (const struct test_element *element = map->elements; element;
	     element = element->next) {
		union bpf_attr attr = {.map_fd = fd,
				       .key = ptr_to_u64(element->key.data),
				       .value = ptr_to_u64(element->value.data)};
		int error = call(session, BPF_MAP_UPDATE_ELEM, &attr);

		if (error < 0)
			return fail(session, "map update", error);
	}
	return OUTCOME_PASS;
}

static enum outcome create_maps(struct session *session)
{
	const struct program_test *test = session->test;

	for (u32 i = 0; i < test->map_cnt; i++) {
		const struct test_map *map = &test->maps[i];
		union bpf_attr attr = {.map_type = map->type,
				       .key_size = map->key_size,
				       .value_size = map->value_size,
				       .max_entries = map->entries,
				       .map_flags = map->flags};
		int fd = call(session, BPF_MAP_CREATE, &attr);

		if (fd < 0)
			return fail(session, "map create", fd);
		session->map_fds[session->map_cnt++] = fd;
		if (fill_map(session, map, fd))
			return OUTCOME_FAIL;
	}
	return OUTCOME_PASS;
}

/* Numbers of maps become descriptors; indices stay, the descriptors are passed beside. */
static void name_maps(const struct session *session, struct bpf_insn *insns)
{
	for (u32 at = 0; at < session->test->insn_cnt; at += insn_slots(&insns[at])) {
		enum insn_op op = insn_op(&insns[at]);

		if ((op == INSN_LD_MAP_FD || op == INSN_LD_MAP_VALUE) &&
		    (u32)insns[at].imm < session->map_cnt)
			insns[at].imm = session->map_fds[insns[at].imm];
	}
}

/* --- verdict --- */

static int load(struct session *session)
{
	const struct program_test *test = session->test;
	size_t size = test->insn_cnt * sizeof(*test->insns);
	struct bpf_insn *insns = malloc(size ? size : 1);
	union bpf_attr attr = {
		.prog_type = test->type,
		.expected_attach_type = test->attach_type,
		.prog_flags = test->flags,
		.insns = ptr_to_u64(insns),
		.insn_cnt = test->insn_cnt,
		.license = ptr_to_u64(test->license),
		.log_level = 1,
		.log_buf = ptr_to_u64(session->log),
		.log_size = LOG_SIZE,
		.fd_array = ptr_to_u64(session->map_fds),
	};
	int fd;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, test->insns, size);
	name_maps(session, insns);
	fd = call(session, BPF_PROG_LOAD, &attr);
	free(insns);
	return fd;
}

static enum outcome rejected(struct session *session, int error)
{
	const struct program_test *test = session->test;

	if (session->target->is_linux && (error == -EPERM || !linux_has_isa())) {
		strbuf_adds(session->why, error == -EPERM
						  ? "not allowed here"
						  : "this kernel may be too old for it");
		return OUTCOME_SKIP;
	}
	strbuf_addf(session->why, "rejected \"%s\": %s\n%s", test->title, strerror(-error),
		    session->log);
	return OUTCOME_FAIL;
}

static enum outcome judge(struct session *session)
{
	const struct program_test *test = session->test;
	bool want = session->target->is_linux ? test->accepted_by_linux : test->accepted;

	session->prog_fd = load(session);
	if (session->prog_fd < 0 && want)
		return rejected(session, session->prog_fd);
	if (session->prog_fd >= 0 && !want) {
		strbuf_adds(session->why, "accepted, and should be rejected");
		return OUTCOME_FAIL;
	}
	if (test->message && !strstr(session->log, test->message)) {
		strbuf_addf(session->why, "the log does not say \"%s\":\n%s", test->message,
			    session->log);
		return OUTCOME_FAIL;
	}
	return OUTCOME_PASS;
}

/* --- runs --- */

static void explain_bytes(struct strbuf *out, const char *title, const u8 *data, u32 size)
{
	strbuf_addf(out, "\n  %s", title);
	for (u32 i = 0; i < size; i++)
		strbuf_addf(out, "%s%02x", i % 8 ? "" : " ", data[i]);
}

static enum outcome compare(struct session *session, u32 number, u32 result, const u8 *data,
			    u32 size)
{
	const struct test_run *run = &session->test->runs[number];

	if (run->has_result && result != run->result) {
		strbuf_addf(session->why, "run %u: want result %u (0x%x), got %u (0x%x)",
			    number + 1, run->result, run->result, result, result);
		return OUTCOME_FAIL;
	}
	if (run->out.given && (size != run->out.size || memcmp(data, run->out.data, size))) {
		strbuf_addf(session->why, "run %u: other bytes", number + 1);
		explain_bytes(session->why, "want", run->out.data, run->out.size);
		explain_bytes(session->why, "got ", data, size);
		return OUTCOME_FAIL;
	}
	return OUTCOME_PASS;
}

static enum outcome run_once(struct session *session, u32 number)
{
	static const u8 nothing[DEFAULT_DATA];
	const struct test_run *run = &session->test->runs[number];
	const struct prog_row *row = prog_row(session->test->type);
	bool has_packet = row->has_packet || row->has_ld_abs;
	u8 out[PACKET_LIMIT];
	union bpf_attr attr = {0};
	int error;

	attr.test.prog_fd = session->prog_fd;
	attr.test.ctx_in = ptr_to_u64(run->ctx.data);
	attr.test.ctx_size_in = run->ctx.size;
	if (has_packet) {
		attr.test.data_in = ptr_to_u64(run->data.given ? run->data.data : nothing);
		attr.test.data_size_in = run->data.given ? run->data.size : sizeof(nothing);
		attr.test.data_out = ptr_to_u64(out);
		attr.test.data_size_out = sizeof(out);
	}
	error = call(session, BPF_PROG_TEST_RUN, &attr);
	if (error < 0)
		return fail(session, "test run", error);
	return compare(session, number, attr.test.retval, out, attr.test.data_size_out);
}

static enum outcome test_all(struct session *session)
{
	enum outcome outcome = create_maps(session);

	if (outcome == OUTCOME_PASS)
		outcome = judge(session);
	for (u32 i = 0; i < session->test->run_cnt && outcome == OUTCOME_PASS; i++)
		if (session->prog_fd >= 0)
			outcome = run_once(session, i);
	return outcome;
}

enum outcome program_test_run(const struct program_test *test, const struct target *target,
			      struct strbuf *why)
{
	struct session session = {.test = test,
				  .target = target,
				  .why = why,
				  .prog_fd = -1,
				  .log = calloc(1, LOG_SIZE)};
	enum outcome outcome = session.log ? test_all(&session) : OUTCOME_FAIL;

	if (session.prog_fd >= 0)
		close(session.prog_fd);
	for (u32 i = 0; i < session.map_cnt; i++)
		close(session.map_fds[i]);
	free(session.log);
	return outcome;
}
