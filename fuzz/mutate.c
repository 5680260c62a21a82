/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libskep-mutate.so: preloaded into a program that loads eBPF programs into Linux. Its maps and
 * types are made in an engine, too; each program that both accept is changed a little, many
 *times (mutation.h), and both are asked again. What only one of them accepts is a line on
 *stderr; the last lines count. Settings are variables of the environment:
 *
 *	MUTATE_COUNT (1000 of each program), MUTATE_SEED (1), MUTATE_RIGHTS (enum skep_rights,
 *those that the program has), MUTATE_SHOW: both logs of the one with MUTATE_SEED.
 *
 * For processes with one thread.
 */
#include "base/strbuf.h"
#include "fuzz/mutation.h"
#include "fuzz/verdict.h"
#include "isa/isa.h"
#include "linux/rights.h"
#include <skep/skep.h>

#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define FDS_MAX	    4096
#define MAPS_MAX    256
#define LOG_SIZE    (16u << 20)
#define PROBE_INSNS 7	   /* of the longest program that libbpf asks Linux with */
#define PATIENCE    100000 /* microseconds that Linux may take */
#define CHANGES	    3	   /* at most, of one program */
#define NO_FD	    (-1)
#define INSNS_MAX   65536
#define EXPORT	    __attribute__((visibility("default")))

enum cell {
	BOTH_ACCEPT,
	BOTH_REJECT,
	ONLY_LINUX,
	ONLY_SKEP,
	ONLY_SKEP_BY_NUMBERS,
	ONLY_SKEP_BY_BUG, /* of Linux */
	TEDIOUS,
	CELLS,
};

static struct {
	struct skep_engine *engine;
	long (*syscall)(long number, ...);
	int types[FDS_MAX]; /* the engine's descriptor, plus 1, by Linux's */
	struct {
		u32 id, type;
		int own;
	} maps[MAPS_MAX];
	u32 map_cnt;
	u64 seed, count;
	u32 rights; /* of the process, when the engine was made */
	bool is_inside, is_shown;
	char *log[2];
	u64 cells[CELLS];
} mutate;

/* --- two worlds --- */

static int linux_bpf(int cmd, union bpf_attr *attr, u32 size)
{
	long ret = mutate.syscall(SYS_bpf, cmd, attr, size);

	return ret < 0 ? -errno : (int)ret;
}

static u64 setting(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static u32 rights_here(void)
{
	u64 all = linux_capabilities();

	return (all >> CAP_BPF & 1 ? SKEP_RIGHT_BPF : 0) |
	       (all >> CAP_PERFMON & 1 ? SKEP_RIGHT_PERFMON : 0) |
	       (all >> CAP_NET_ADMIN & 1 ? SKEP_RIGHT_NET_ADMIN : 0) |
	       (all >> CAP_SYS_ADMIN & 1 ? SKEP_RIGHT_ADMIN : 0);
}

static void on_alarm(int signal)
{
}

static void print_cells(void)
{
	const u64 *cells = mutate.cells;

	if (!(cells[BOTH_ACCEPT] + cells[BOTH_REJECT]))
		return;
	fprintf(stderr,
		"mutate: %llu accepted, %llu rejected, %llu only by Linux, %llu only by skep, %llu by its "
		"arithmetic, %llu by a bug of Linux, %llu took long\n",
		cells[BOTH_ACCEPT], cells[BOTH_REJECT], cells[ONLY_LINUX], cells[ONLY_SKEP],
		cells[ONLY_SKEP_BY_NUMBERS], cells[ONLY_SKEP_BY_BUG], cells[TEDIOUS]);
}

static bool start(void)
{
	struct skep_engine_opts opts = {.sz = sizeof(opts), .verify_only = true};

	if (mutate.engine)
		return true;
	mutate.rights = opts.rights = rights_here();
	opts.rights_given = true;
	mutate.count = setting("MUTATE_COUNT", 1000);
	mutate.seed = setting("MUTATE_SEED", 1);
	mutate.is_shown = getenv("MUTATE_SHOW");
	for (u32 i = 0; i < 2; i++)
		mutate.log[i] = calloc(1, LOG_SIZE);
	mutate.engine = skep_engine_new(&opts, NULL);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	atexit(print_cells);
	return mutate.engine && mutate.log[0] && mutate.log[1];
}

/* --- what programs refer to --- */

static u32 map_id(int fd)
{
	struct bpf_map_info info = {0};
	union bpf_attr attr = {.info = {.bpf_fd = (u32)fd,
					.info_len = sizeof(info),
					.info = ptr_to_u64(&info)}};

	return linux_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? 0 : info.id;
}

/* Of the map behind Linux's descriptor, which may be a copy of the first one. NO_FD: none. */
static int own_map(int fd, u32 *type)
{
	u32 id = map_id(fd);

	for (u32 i = 0; id && i < mutate.map_cnt; i++) {
		if (mutate.maps[i].id != id)
			continue;
		*type = mutate.maps[i].type;
		return mutate.maps[i].own;
	}
	return NO_FD;
}

static int own_types(int fd)
{
	return fd > 0 && fd < FDS_MAX ? mutate.types[fd] - 1 : NO_FD;
}

static void complain(const char *what)
{
	fprintf(stderr, "mutate: %s: %s\n", what, skep_engine_error(mutate.engine)->text);
}

static void make_map(const union bpf_attr *attr, u32 size, int fd)
{
	union bpf_attr own_attr = *attr;
	u32 type;
	int own;

	if (attr->inner_map_fd)
		own_attr.inner_map_fd = (u32)own_map((int)attr->inner_map_fd, &type);
	if (attr->btf_fd)
		own_attr.btf_fd = (u32)own_types((int)attr->btf_fd);
	own = skep_bpf(mutate.engine, BPF_MAP_CREATE, &own_attr, size);
	if (own < 0)
		complain("no such map");
	if (own < 0 || mutate.map_cnt == MAPS_MAX)
		return;
	mutate.maps[mutate.map_cnt].id = map_id(fd);
	mutate.maps[mutate.map_cnt].type = attr->map_type;
	mutate.maps[mutate.map_cnt++].own = own;
}

static void make_types(const union bpf_attr *attr, u32 size, int fd)
{
	union bpf_attr own_attr = *attr;
	int own;

	own_attr.btf_log_buf = own_attr.btf_log_size = own_attr.btf_log_level = 0;
	own = skep_bpf(mutate.engine, BPF_BTF_LOAD, &own_attr, size);
	if (own < 0)
		complain("no such types");
	if (fd >= FDS_MAX)
		return;
	if (mutate.types[fd])
		close(mutate.types[fd] - 1);
	mutate.types[fd] = own < 0 ? 0 : own + 1;
}

/* What a frozen array holds is known to the verifier. */
static void tell_map(int cmd, const union bpf_attr *attr, u32 size)
{
	union bpf_attr own_attr = *attr;
	u32 type = 0;

	own_attr.map_fd = (u32)own_map((int)attr->map_fd, &type);
	if (type == BPF_MAP_TYPE_ARRAY)
		skep_bpf(mutate.engine, cmd, &own_attr, size);
}

/* --- verdicts --- */

struct program {
	union bpf_attr attr;
	u32 size;
	struct bpf_insn insns[INSNS_MAX];
};

static void set_log(union bpf_attr *attr, char *log, u32 level)
{
	if (log)
		log[0] = '\0';
	attr->log_level = log ? level : 0;
	attr->log_buf = ptr_to_u64(log);
	attr->log_size = log ? LOG_SIZE : 0;
}

static bool names_map(const struct bpf_insn *insn)
{
	return insn_is_wide(insn) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

static int load_into_skep(const struct program *program, char *log, u32 level)
{
	static struct bpf_insn insns[INSNS_MAX];
	union bpf_attr attr = program->attr;
	u32 type;
	int fd;

	memcpy(insns, program->insns, attr.insn_cnt * sizeof(*insns));
	for (u32 i = 0; i < attr.insn_cnt; i++)
		if (names_map(&insns[i]))
			insns[i].imm = own_map(insns[i].imm, &type);
	attr.insns = ptr_to_u64(insns);
	attr.prog_btf_fd = attr.prog_btf_fd ? (u32)own_types((int)attr.prog_btf_fd) : 0;
	set_log(&attr, log, level);
	fd = skep_bpf(mutate.engine, BPF_PROG_LOAD, &attr, program->size);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int load_into_linux(const struct program *program, char *log, u32 level)
{
	const struct itimerval patience = {.it_value.tv_usec = log ? 0 : PATIENCE}, none = {0};
	union bpf_attr attr = program->attr;
	int fd;

	attr.insns = ptr_to_u64(program->insns);
	set_log(&attr, log, level);
	setitimer(ITIMER_REAL, &patience, NULL);
	fd = linux_bpf(BPF_PROG_LOAD, &attr, program->size);
	setitimer(ITIMER_REAL, &none, NULL);
	if (fd >= 0)
		close(fd);
	return fd;
}

static void say(const struct program *program, u64 seed, const char *who, const char *log)
{
	struct verdict_line line = verdict_line(log);

	fprintf(stderr, "mutate: %s, %u: seed %llu: only %s accepts: %.*s\n",
		program->attr.prog_name, program->attr.insn_cnt, seed, who, line.length,
		line.text);
}

static bool compares_with_itself(const struct program *program)
{
	for (u32 i = 0; i < program->attr.insn_cnt; i++)
		if (insn_compares_with_itself(&program->insns[i]))
			return true;
	return false;
}

static enum cell cell_of(const struct program *program, u64 seed)
{
	int linux_fd = load_into_linux(program, NULL, 0);
	int fd = load_into_skep(program, NULL, 0);

	if (linux_fd == -EAGAIN || linux_fd == -EINTR)
		return TEDIOUS;
	if ((fd >= 0) == (linux_fd >= 0))
		return fd >= 0 ? BOTH_ACCEPT : BOTH_REJECT;
	if (linux_fd >= 0) {
		load_into_skep(program, mutate.log[0], 1);
		say(program, seed, "Linux", mutate.log[0]);
		return ONLY_LINUX;
	}
	load_into_linux(program, mutate.log[0], 1);
	if (verdict_is_about_numbers(mutate.log[0]) || compares_with_itself(program))
		return ONLY_SKEP_BY_NUMBERS;
	if (verdict_is_linux_bug(mutate.log[0]))
		return ONLY_SKEP_BY_BUG;
	say(program, seed, "skep", mutate.log[0]);
	return ONLY_SKEP;
}

/* --- mutations --- */

static void change(const struct program *original, u64 seed, struct program *out)
{
	u64 random = random_seeded(seed);

	memcpy(out->insns, original->insns, original->attr.insn_cnt * sizeof(*out->insns));
	for (u32 i = 1 + random_below(&random, CHANGES); i > 0; i--)
		mutate_insns(&random, out->insns, out->attr.insn_cnt);
}

static void print_changes(const struct program *original, const struct program *changed)
{
	u32 count = changed->attr.insn_cnt;

	for (u32 i = 0; i < count; i++) {
		struct strbuf text;

		if (!memcmp(&original->insns[i], &changed->insns[i], sizeof(struct bpf_insn)))
			continue;
		strbuf_init(&text);
		insn_print(original->insns, count, i, INSN_SYNTAX_KERNEL, NULL, &text);
		strbuf_adds(&text, "  ->  ");
		insn_print(changed->insns, count, i, INSN_SYNTAX_KERNEL, NULL, &text);
		fprintf(stderr, "%u: %s\n", i, strbuf_text(&text));
		strbuf_done(&text);
	}
}

static void show(const struct program *original, const struct program *changed)
{
	int fd = load_into_skep(changed, mutate.log[0], 2);
	int linux_fd = load_into_linux(changed, mutate.log[1], 2);

	print_changes(original, changed);
	fprintf(stderr, "--- skep: %d\n%s\n--- Linux: %d\n%s\n", fd, mutate.log[0], linux_fd,
		mutate.log[1]);
}

static void mutate_program(const struct program *original)
{
	static struct program changed;

	changed.attr = original->attr;
	changed.size = original->size;
	if (mutate.is_shown) {
		change(original, mutate.seed, &changed);
		show(original, &changed);
		return;
	}
	for (u64 seed = mutate.seed; seed < mutate.seed + mutate.count; seed++) {
		change(original, seed, &changed);
		mutate.cells[cell_of(&changed, seed)]++;
	}
}

static bool uses_fd_array(const union bpf_attr *attr)
{
	const struct bpf_insn *insns = u64_to_ptr(attr->insns);

	for (u32 i = 0; i < attr->insn_cnt && attr->fd_array; i++)
		if (insn_is_wide(&insns[i]) && (insns[i].src_reg == BPF_PSEUDO_MAP_IDX ||
						insns[i].src_reg == BPF_PSEUDO_MAP_IDX_VALUE))
			return true;
	return false;
}

/* Not the little programs that libbpf asks with what Linux can do. */
static bool is_worth_it(const union bpf_attr *attr)
{
	return attr->insn_cnt <= INSNS_MAX && !uses_fd_array(attr) && !attr->attach_prog_fd &&
	       (attr->prog_btf_fd || attr->insn_cnt > PROBE_INSNS) &&
	       rights_here() == mutate.rights &&
	       (!attr->prog_btf_fd || own_types((int)attr->prog_btf_fd) >= 0);
}

static void take_program(const union bpf_attr *attr, u32 size)
{
	static struct program original;

	if (!is_worth_it(attr))
		return;
	original.attr = *attr;
	original.attr.fd_array = 0;
	original.size = size;
	memcpy(original.insns, u64_to_ptr(attr->insns),
	       attr->insn_cnt * sizeof(struct bpf_insn));
	if (load_into_skep(&original, NULL, 0) >= 0)
		mutate_program(&original);
	else
		complain(attr->prog_name);
}

static void follow(int cmd, const union bpf_attr *attr, u32 size, int ret)
{
	switch (cmd) {
	case BPF_MAP_CREATE: make_map(attr, size, ret); break;
	case BPF_BTF_LOAD: make_types(attr, size, ret); break;
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE: tell_map(cmd, attr, size); break;
	case BPF_PROG_LOAD: take_program(attr, size); break;
	default: break;
	}
}

static long call_bpf(int cmd, const void *attr, u32 size)
{
	union bpf_attr copy = {0};
	long ret = mutate.syscall(SYS_bpf, cmd, attr, size);
	int err = errno;

	memcpy(&copy, attr, min((size_t)size, sizeof(copy)));
	mutate.is_inside = true;
	if (ret >= 0 && start())
		follow(cmd, &copy, min(size, (u32)sizeof(copy)), (int)ret);
	mutate.is_inside = false;
	errno = err;
	return ret;
}

EXPORT long syscall(long number, ...)
{
	va_list list;
	long a[6];

	va_start(list, number);
	for (u32 i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!mutate.syscall)
		mutate.syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_bpf && !mutate.is_inside)
		return call_bpf((int)a[0], (const void *)a[1], (u32)a[2]);
	return mutate.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
