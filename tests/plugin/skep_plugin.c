/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep behind the plugin protocol of bpf_conformance, for suites of raw instructions:
 *
 *	skep-plugin [MEMORY] [--checked | --interpreter] [--classic] < INSTRUCTIONS
 *
 * Both are bytes in hex. The program starts with r1 = address and r2 = length of MEMORY; r0 is
 * printed in hex. Such programs could never pass the verifier (they take r1 for plain memory),
 * so they run in the checked interpreter, which needs no proof. With --interpreter (the
 * default) a program that ran clean there is run a second time by the plain one, on the same
 * bytes at the same addresses: what was clean once is clean again. Both must agree.
 */
#include "base/error.h"
#include "isa/isa.h"
#include "plugin_helpers.h"
#include "run/checker.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET	 (1ull << 28) /* instructions; far above what any test needs */
#define ETHERNET 14

struct plugin {
	bool classic, plain_too;
	u8 *memory, *image; /* what the program works on, and what was given */
	size_t memory_size;
	struct bpf_insn *insns;
	u32 insn_cnt;
	struct prog_code *code;
	struct executor exec;
	struct checker checker;
};

static int fail(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return 1;
}

/* --- input --- */
static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* False when the text is not pairs of hex digits with blanks between. */
static bool hex_read(const char *text, u8 **out, size_t *size)
{
	u8 *bytes = calloc(1, strlen(text) / 2 + 1);
	size_t count = 0;

	while (bytes && *text) {
		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
			break;
		bytes[count++] = hex_digit(text[0]) << 4 | hex_digit(text[1]);
		text += 2;
	}
	*out = bytes;
	*size = count;
	return bytes && !*text;
}

static bool insns_read(struct plugin *plugin)
{
	char *line = NULL;
	size_t room = 0, size = 0;
	u8 *bytes = NULL;
	bool ok = getline(&line, &room, stdin) > 0 && hex_read(line, &bytes, &size) &&
		  size % sizeof(struct bpf_insn) == 0;

	plugin->insns = (struct bpf_insn *)bytes;
	plugin->insn_cnt = size / sizeof(struct bpf_insn);
	free(line);
	return ok;
}

/* --- classic programs --- */
static int classic_to_ebpf(struct plugin *plugin, struct skep_error *err)
{
	const struct sock_filter *filter = (const struct sock_filter *)plugin->insns;
	const u32 count = plugin->insn_cnt;
	struct bpf_insn *converted;
	int ret = classic_check(filter, count, err);

	ret = ret ?: classic_convert(filter, count, &converted, &plugin->insn_cnt, err);
	if (ret)
		return ret;
	free(plugin->insns);
	plugin->insns = converted;
	return 0;
}

/* --- the run --- */
static int code_make(struct plugin *plugin)
{
	struct skep_error err = {0};
	struct unproven input = {.helper = plugin_helper};
	int ret = plugin->classic ? classic_to_ebpf(plugin, &err) : 0;

	if (plugin->classic) {
		input.helper = classic_helper;
		input.type = BPF_PROG_TYPE_SOCKET_FILTER;
		input.ctx_register = BPF_REG_6;
	}
	input.insns = plugin->insns;
	input.count = plugin->insn_cnt;
	ret = ret ?: code_build_unproven(&input, &plugin->code, &err);
	return ret ? fail(err.text) : 0;
}

/* Everything as it was before any run: memory, stack, registers. */
static u64 run_once(struct plugin *plugin, bool checked)
{
	struct plugin_run run = {.memory = plugin->memory, .size = plugin->memory_size};
	u64 args[5] = {ptr_to_u64(plugin->memory_size ? plugin->memory : NULL),
		       plugin->memory_size};
	struct executor *exec = &plugin->exec;

	if (plugin->memory_size)
		memcpy(plugin->memory, plugin->image, plugin->memory_size);
	if (plugin->classic) {
		plugin_run_packet(&run);
		args[0] = ptr_to_u64(&run.skb);
		args[1] = 0;
	}
	memset(exec->stack, 0, sizeof(exec->stack));
	run.stack = exec->stack;
	run.stack_size = sizeof(exec->stack);
	executor_start(exec, plugin->code, &run.context);
	exec->checker = checked ? &plugin->checker : NULL;
	return executor_run(exec, args);
}

static int run_and_print(struct plugin *plugin)
{
	struct run_region region = {plugin->memory, plugin->memory_size};
	struct strbuf text;
	u64 result;

	plugin->checker =
		(struct checker){.budget = BUDGET, .regions = &region, .region_cnt = 1};
	result = run_once(plugin, true);
	if (plugin->checker.found.kind) {
		strbuf_init(&text);
		violation_print(&plugin->checker.found, &text);
		fail(strbuf_text(&text));
		strbuf_done(&text);
		return 1;
	}
	if (plugin->plain_too) {
		code_bind(plugin->code);
		if (run_once(plugin, false) != result)
			return fail("the two builds of the interpreter disagree");
	}
	printf("%llx\n", result);
	return 0;
}

static bool options_read(struct plugin *plugin, int argc, char **argv)
{
	plugin->plain_too = true;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--classic"))
			plugin->classic = true;
		else if (!strcmp(argv[i], "--checked"))
			plugin->plain_too = false;
		else if (!strcmp(argv[i], "--interpreter"))
			plugin->plain_too = true;
		else if (i > 1 || !hex_read(argv[i], &plugin->image, &plugin->memory_size))
			return false;
	}
	plugin->memory = malloc(plugin->memory_size + 1);
	return plugin->memory;
}

int main(int argc, char **argv)
{
	static struct plugin plugin;
	int ret;

	if (!options_read(&plugin, argc, argv))
		return fail(
			"usage: skep-plugin [MEMORY] [--checked | --interpreter] [--classic]");
	if (!insns_read(&plugin))
		return fail("the instructions are not bytes in hex");
	ret = code_make(&plugin) ?: run_and_print(&plugin);
	code_free(plugin.code);
	free(plugin.insns);
	free(plugin.image);
	free(plugin.memory);
	return ret;
}
