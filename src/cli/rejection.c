/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpf prints a verifier log as
 *
 *	prog 'NAME': -- BEGIN PROG LOAD LOG --
 *	...
 *	-- END PROG LOAD LOG --
 *
 * In the log, the reason stands behind the instruction that was looked at last, which stands
 * behind its source line ("; TEXT @ FILE:LINE"); statistics follow.
 */
#include "cli/rejection.h"

#include "cli/excerpt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char log_begin[] = ": -- BEGIN PROG LOAD LOG --\n";
static const char log_end[] = "-- END PROG LOAD LOG --";

/* One log: [at, end), and the name in quotes in front of it. */
struct program_log {
	const char *name, *at, *end;
	int name_length;
};

static bool next_log(const char *text, struct program_log *out)
{
	const char *begin = strstr(text, log_begin), *quote;

	if (!begin)
		return false;
	out->at = begin + strlen(log_begin);
	out->end = strstr(out->at, log_end) ?: out->at + strlen(out->at);
	for (quote = begin - 1; quote > text && quote[-1] != '\'' && quote[-1] != '\n';)
		quote--;
	out->name = quote;
	out->name_length = begin - quote - (begin > quote && begin[-1] == '\'');
	return true;
}

/* libbpf loads once more for a log: the last one is of the program that failed. */
static bool last_log(const char *text, struct program_log *out)
{
	bool found = false;

	for (; next_log(text, out); text = out->end)
		found = true;
	return found;
}

static bool is_line_of_path(const char *line)
{
	static const char *const starts[] = {"\n",
					     "from ",
					     "func#",
					     "caller:",
					     "callee:",
					     "frame",
					     " frame",
					     "mark_precise",
					     "to caller at",
					     "returning from callee:",
					     "Validating ",
					     "Func#",
					     "Global function"};
	size_t digits = strspn(line, "0123456789");

	if (digits && line[digits] == ':')
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return false;
}

static void take_line(char *out, const char *line, size_t length)
{
	snprintf(out, SKEP_ERROR_TEXT, "%.*s", (int)length, line);
}

/* "; TEXT @ FILE:LINE" as "FILE:LINE: TEXT". */
static void take_source(char *out, const char *line, size_t length)
{
	char copy[SKEP_ERROR_TEXT], *at;

	take_line(copy, line, length);
	at = strrchr(copy, '@');
	if (!at || at < copy + 3)
		return;
	at[-1] = '\0';
	snprintf(out, SKEP_ERROR_TEXT, "%.100s: %.150s", at + 2, copy + 2);
}

/* Behind a jump, the kernel writes the reason on the same line; NULL: it does not. */
static const char *behind_jump(const char *line, size_t length)
{
	static const char jump[] = "goto pc";
	const char *end = line + length, *at = memmem(line, length, jump, sizeof(jump) - 1);

	if (!at)
		return NULL;
	at += sizeof(jump) - 1;
	at += at < end && (*at == '+' || *at == '-');
	while (at < end && isdigit(*at))
		at++;
	return end - at > 1 && *at == ' ' && isalpha(at[1]) ? at + 1 : NULL;
}

/* The number that the line begins with. Not by sscanf(), which looks for the end of the log. */
static void take_insn(const char *line, int *insn)
{
	char *end;
	const long number = strtol(line, &end, 10);

	if (end != line)
		*insn = (int)number;
}

/* What one line of Linux's log adds. */
static void read_line(struct rejection *out, const char *line, size_t length)
{
	if (!strncmp(line, "; ", 2)) {
		take_source(out->where, line, length);
	} else if (is_line_of_path(line)) {
		const char *reason = behind_jump(line, length);

		take_insn(line, &out->insn);
		out->text[0] = '\0';
		if (reason)
			take_line(out->text, reason, line + length - reason);
	} else if (!out->text[0]) {
		take_line(out->text, line, length);
	}
}

static bool read_log(const struct program_log *log, struct rejection *out)
{
	const char *end;

	for (const char *line = log->at; line < log->end; line = end + 1) {
		end = memchr(line, '\n', log->end - line) ?: log->end;
		if (!strncmp(line, "processed ", strlen("processed ")) ||
		    !strncmp(line, "verification time ", strlen("verification time ")))
			break;
		read_line(out, line, end - line);
	}
	return out->text[0];
}

bool rejection_find(const char *libbpf_log, const struct skep_error *err, struct rejection *out)
{
	struct program_log log;
	bool has_log = last_log(libbpf_log, &log);

	*out = (struct rejection){.insn = -1};
	if (has_log)
		snprintf(out->program, sizeof(out->program), "%.*s", log.name_length, log.name);
	if (!err)
		return has_log && read_log(&log, out);
	if (err->stage != SKEP_STAGE_VERIFY && err->stage != SKEP_STAGE_DECODE)
		return false;
	out->insn = err->insn;
	out->reason = err->reason;
	out->hint = err->hint[0] ? err->hint : NULL;
	memcpy(out->text, err->text, sizeof(out->text));
	memcpy(out->where, err->where, sizeof(out->where));
	return true;
}

/* "FILE:LINE: TEXT" as an excerpt, without carets: Linux's log has no columns. */
static void print_place(const char *where)
{
	const char *line = strchr(where, ':'), *text = line ? strstr(line, ": ") : NULL;
	struct skep_source source = {.file = where};
	int width;

	if (!text || sscanf(line, ":%u: ", &source.line) != 1)
		return;
	source.text = text + 2;
	width = excerpt_number_width(source.line) + 1;
	where = relative_name(where);
	fprintf(stderr, "%s%*s-->%s %.*s\n", color(COLOR_FRAME), width, "", color(COLOR_NONE),
		(int)(text - where), where);
	excerpt_print(&source, width, COLOR_ERROR, "");
}

static void print_record(const struct rejection *rejection)
{
	print_place(rejection->where);
	if (rejection->hint)
		fprintf(stderr, "   = hint: %s\n", rejection->hint);
	if (rejection->reason)
		fprintf(stderr, "   = reason: %s\n", rejection->reason);
}

static void print_instruction(const struct rejection *rejection)
{
	const struct skep_explanation *explanation = rejection->explanation;

	if (rejection->insn >= 0)
		fprintf(stderr, ", instruction %d", rejection->insn);
	if (explanation && explanation->insn_text)
		fprintf(stderr, ": %s", explanation->insn_text);
}

void rejection_print(const struct rejection *rejection, const char *path)
{
	const struct skep_explanation *explanation = rejection->explanation;

	fprintf(stderr, "%s%s%s\n", color(COLOR_ERROR), rejection->text, color(COLOR_NONE));
	if (explanation)
		explanation_print(explanation);
	else
		print_record(rejection);
	fprintf(stderr, "  in: %s%s%s", path, rejection->program[0] ? ", program " : "",
		rejection->program);
	print_instruction(rejection);
	fputc('\n', stderr);
}

void rejection_print_json(const struct rejection *rejection, struct output *output)
{
	const struct skep_explanation *explanation = rejection->explanation;
	const char *hint = explanation ? explanation->hint : rejection->hint;

	output_bare(output, "verdict", "rejected");
	if (rejection->program[0])
		output_string(output, "name", rejection->program);
	output_string(output, "message", rejection->text);
	if (rejection->insn >= 0)
		output_number(output, "insn", (u64)rejection->insn);
	if (rejection->where[0])
		output_string(output, "where", relative_name(rejection->where));
	if (hint)
		output_string(output, "hint", hint);
	if (rejection->reason)
		output_string(output, "reason", rejection->reason);
	if (explanation)
		explanation_print_json(explanation, &output->json);
}

void rejection_print_logs(const char *libbpf_log, FILE *out)
{
	struct program_log log;
	bool has_several = false;
	u32 count = 0;

	for (const char *at = libbpf_log; next_log(at, &log); at = log.end)
		count++;
	has_several = count > 1;
	for (const char *at = libbpf_log; next_log(at, &log); at = log.end) {
		if (has_several)
			fprintf(out, "%.*s:\n", log.name_length, log.name);
		fwrite(log.at, 1, log.end - log.at, out);
	}
}
