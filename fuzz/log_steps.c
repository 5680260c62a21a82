/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/log_steps.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct log_steps log_steps(const char *log)
{
	return (struct log_steps){.at = log};
}

static bool starts_path(const char *line)
{
	return !strncmp(line, "from ", 5) || !strncmp(line, "Validating ", 11);
}

/* "12: (b7) r1 = 0 ; R1=0" */
static bool is_step(const char *line, u32 *insn)
{
	char *end;
	unsigned long number = strtoul(line, &end, 10);

	if (end == line || strncmp(end, ": (", 3))
		return false;
	*insn = (u32)number;
	return true;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line != '\0');
}

/* "12: safe" */
static bool is_covered(const char *line)
{
	size_t length = strcspn(line, "\n");

	return length > 6 && !strncmp(line + length - 6, ": safe", 6);
}

/* The next line that is a step, or begins or ends a path; NULL: none. */
static const char *next_of_interest(const char *at, u32 *insn)
{
	for (; *at; at = next_line(at))
		if (starts_path(at) || is_covered(at) || is_step(at, insn))
			return at;
	return NULL;
}

bool log_step_next(struct log_steps *steps, struct log_step *out)
{
	static const char mark[] = "(speculative execution)";
	const char *line, *next;
	u32 insn = 0;

	for (line = next_of_interest(steps->at, &insn); line && !is_step(line, &insn);
	     line = next_of_interest(next_line(line), &insn))
		if (starts_path(line))
			steps->is_speculative =
				memmem(line, strcspn(line, "\n"), mark, sizeof(mark) - 1);
	if (!line)
		return false;
	*out = (struct log_step){.line = line,
				 .length = strcspn(line, "\n"),
				 .insn = insn,
				 .is_speculative = steps->is_speculative};
	steps->at = next_line(line);
	next = next_of_interest(steps->at, &insn);
	out->is_last = !next || (starts_path(next) && !is_covered(next));
	return true;
}

/* --- values of registers --- */

/* Where a value ends: at a blank outside of brackets. */
static size_t value_length(const char *text)
{
	size_t length = 0;
	u32 depth = 0;

	for (; text[length] && text[length] != '\n'; length++) {
		depth += text[length] == '(';
		depth -= depth && text[length] == ')';
		if (!depth && text[length] == ' ')
			break;
	}
	return length;
}

/* "mark_precise: frame0: parent state regs=r9 stack=:  R9=P0": what was known before. */
static bool is_of_past(const char *log, const char *at)
{
	static const char start[] = "mark_precise";

	while (at > log && at[-1] != '\n')
		at--;
	return !strncmp(at, start, sizeof(start) - 1);
}

const char *log_register(const char *log, const char *before, u32 reg, size_t *length)
{
	*length = 0;
	for (const char *at = before; at-- > log;) {
		if (at[0] != ' ' || at[1] != 'R' || (u32)(at[2] - '0') != reg || at[3] != '=' ||
		    is_of_past(log, at))
			continue;
		at += 4 + (at[4] == 'P');
		*length = value_length(at);
		return at;
	}
	return NULL;
}

static size_t name_length(const char *text)
{
	static const char *const names[] = {"id=", "ref_id=", "ref_obj_id="};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(text, names[i], strlen(names[i])))
			return strcspn(text, ",)");
	return 0;
}

u64 log_value_hash(const char *text, size_t length)
{
	u64 hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < length; i++) {
		size_t name = i && !isalpha((u8)text[i - 1]) ? name_length(text + i) : 0;

		if (name) {
			i += name;
			if (i >= length || text[i] == ')')
				break;
			continue;
		}
		hash = (hash ^ (u8)text[i]) * 0x100000001b3ull;
	}
	return hash;
}

bool log_value_is_pointer(const char *text, size_t length)
{
	return length && islower((u8)*text) && strncmp(text, "scalar", 6);
}
