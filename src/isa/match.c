/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler's grammar is isa.def itself: a template is walked along the tokens of a
 * statement, its operands are read into an instruction. The first template that takes the whole
 * statement wins; one whose operand is too large only when no other takes it.
 */
#include "isa/match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS \
	12 /* r0..r11, as llvm-mc has them; that r11 is none is told by insn_check() */

static const struct {
	enum insn_op op;
	const char *text;
} aliases[] = {
#define ALIAS(op, text) {INSN_##op, text},
#include "isa/alias.def"
#undef ALIAS
};

struct matcher {
	const struct token *tokens, *at;
	const struct insn_desc *desc;
	struct statement *statement;
	struct expectation *expectation;
	bool has_dst, has_src;
};

/* Notes what was expected at the current token, if no template came farther. */
static bool expect(struct matcher *matcher, const char *wanted, size_t length)
{
	struct expectation *expectation = matcher->expectation;
	u32 at = matcher->at - matcher->tokens;
	char quoted[32];

	if (at < expectation->farthest)
		return false;
	if (at > expectation->farthest)
		strbuf_clear(&expectation->wanted);
	expectation->farthest = at;
	snprintf(quoted, sizeof(quoted), "%.*s", (int)length, wanted);
	if (strstr(strbuf_text(&expectation->wanted), quoted))
		return false;
	if (expectation->wanted.length)
		strbuf_adds(&expectation->wanted, ", ");
	strbuf_adds(&expectation->wanted, quoted);
	return false;
}

static bool expect_text(struct matcher *matcher, const char *wanted)
{
	return expect(matcher, wanted, strlen(wanted));
}

static bool is_punctuation(const struct token *token, char c)
{
	return token->kind == TOKEN_PUNCTUATION && *token->text == c;
}

/* --- operands --- */

/* The number of a register whose letter is in `letters`, -1 when the token is none. */
static int register_number(const struct token *token, const char *letters)
{
	int number = 0;

	if (token->kind != TOKEN_WORD || token->length < 2 || token->length > 3 ||
	    !strchr(letters, tolower((unsigned char)*token->text)))
		return -1;
	for (u32 i = 1; i < token->length; i++) {
		if (!isdigit((unsigned char)token->text[i]))
			return -1;
		number = number * 10 + token->text[i] - '0';
	}
	return number < REGISTERS ? number : -1;
}

static const char *register_wish(const char *letters)
{
	if (letters[1])
		return "a register";
	return *letters == 'r' ? "a 64-bit register" : "a 32-bit register";
}

/* A register that stands in the template twice must be the same one both times. */
static bool match_dst(struct matcher *matcher, const char *letters)
{
	int number = register_number(matcher->at, letters);
	struct bpf_insn *insn = matcher->statement->insn;

	if (number < 0)
		return expect_text(matcher, register_wish(letters));
	if (matcher->has_dst && number != insn->dst_reg)
		return expect_text(matcher, "the same register as before");
	insn->dst_reg = number;
	matcher->has_dst = true;
	matcher->at++;
	return true;
}

static bool match_src(struct matcher *matcher, const char *letters)
{
	int number = register_number(matcher->at, letters);
	struct bpf_insn *insn = matcher->statement->insn;

	if (number < 0)
		return expect_text(matcher, register_wish(letters));
	if (matcher->has_src && number != insn->src_reg)
		return expect_text(matcher, "the same register as before");
	insn->src_reg = number;
	matcher->has_src = true;
	matcher->at++;
	return true;
}

static bool too_large(struct matcher *matcher, const struct token *token, const char *wanted)
{
	if (!matcher->statement->bad) {
		matcher->statement->bad = token;
		matcher->statement->wanted = wanted;
	}
	return true;
}

/* An optionally signed number: its size and its sign. */
static bool match_signed(struct matcher *matcher, bool *negative, u64 *size)
{
	const struct token *token = matcher->at;

	*size = 0;
	*negative = is_punctuation(token, '-');
	if (*negative || is_punctuation(token, '+'))
		token++;
	if (token->kind != TOKEN_NUMBER)
		return expect_text(matcher, "a number");
	*size = token->number;
	matcher->at = token + 1;
	return true;
}

/* Of 32 bits, signed or unsigned. */
static bool match_imm(struct matcher *matcher, s32 *out)
{
	const struct token *token = matcher->at;
	bool negative;
	u64 size;

	if (!match_signed(matcher, &negative, &size))
		return false;
	if (size > (negative ? 1ull << 31 : UINT32_MAX))
		return too_large(matcher, token, "a number of 32 bits");
	*out = (s32)(u32)(negative ? -size : size);
	return true;
}

static bool match_off(struct matcher *matcher, s16 *out)
{
	const struct token *token = matcher->at;
	bool negative;
	u64 size;

	if (!match_signed(matcher, &negative, &size))
		return false;
	if (size > (negative ? 1u << 15 : INT16_MAX))
		return too_large(matcher, token, "a number of 16 bits");
	*out = (s16)(negative ? -(s64)size : (s64)size);
	return true;
}

static bool match_wide(struct matcher *matcher)
{
	struct bpf_insn *insn = matcher->statement->insn;
	const struct token *token = matcher->at;
	bool negative;
	u64 size;

	if (!match_signed(matcher, &negative, &size))
		return false;
	if (negative && size > 1ull << 63)
		return too_large(matcher, token, "a number of 64 bits");
	if (negative)
		size = -size;
	insn[0].imm = (s32)(u32)size;
	insn[1].imm = (s32)(u32)(size >> 32);
	return true;
}

/* A number that is added: its sign cannot be left out. */
static bool match_displacement(struct matcher *matcher)
{
	if (!is_punctuation(matcher->at, '+') && !is_punctuation(matcher->at, '-'))
		return expect_text(matcher, "'+' or '-'");
	return match_off(matcher, &matcher->statement->insn->off);
}

static bool match_addend(struct matcher *matcher)
{
	if (!is_punctuation(matcher->at, '+') && !is_punctuation(matcher->at, '-')) {
		expect_text(matcher, "'+' or '-'");
		return true;
	}
	return match_imm(matcher, &matcher->statement->insn->imm);
}

static bool match_label(struct matcher *matcher)
{
	if (matcher->at->kind != TOKEN_WORD)
		return expect_text(matcher, "a label");
	matcher->statement->label = matcher->at++;
	return true;
}

static bool match_target(struct matcher *matcher)
{
	struct bpf_insn *insn = matcher->statement->insn;

	if (matcher->at->kind == TOKEN_WORD)
		return match_label(matcher);
	expect_text(matcher, "a label");
	return matcher->desc->off.kind == FIELD_TARGET ? match_off(matcher, &insn->off)
						       : match_imm(matcher, &insn->imm);
}

static bool match_punctuation(struct matcher *matcher, const char *quoted)
{
	if (!is_punctuation(matcher->at, quoted[1]))
		return expect_text(matcher, quoted);
	matcher->at++;
	return true;
}

/* The two address spaces, each of 16 bits. */
static bool match_spaces(struct matcher *matcher)
{
	const struct token *token = matcher->at;
	s32 from = 0, to = 0;

	if (!match_imm(matcher, &from) || !match_punctuation(matcher, "','") ||
	    !match_imm(matcher, &to))
		return false;
	if ((u32)from > UINT16_MAX || (u32)to > UINT16_MAX)
		return too_large(matcher, token, "numbers of 16 bits");
	matcher->statement->insn->imm = (s32)((u32)from << 16 | (u32)to);
	return true;
}

static bool match_operand(struct matcher *matcher, char operand)
{
	struct bpf_insn *insn = matcher->statement->insn;

	switch (operand) {
	case 'd': return match_dst(matcher, "r");
	case 'D': return match_dst(matcher, "w");
	case 'l': return match_dst(matcher, "rw");
	case 's': return match_src(matcher, "r");
	case 'S': return match_src(matcher, "w");
	case 'v': return match_src(matcher, "rw");
	case 'i':
	case 'c': return match_imm(matcher, &insn->imm);
	case 'k': return match_off(matcher, &insn->off);
	case 'q': return match_wide(matcher);
	case 'y': return match_imm(matcher, &insn[1].imm);
	case 'o': return match_displacement(matcher);
	case 'n': return match_addend(matcher);
	case 'j': return match_target(matcher);
	case 'L': return match_label(matcher);
	case 'a': return match_spaces(matcher);
	default: return false;
	}
}

/* --- templates --- */

/* A word, a number or one character that the template names. */
static size_t literal_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length ? length : 1;
}

static bool match_literal(struct matcher *matcher, const char *text, size_t length)
{
	const struct token *token = matcher->at;
	char quoted[32];

	if (isdigit((unsigned char)*text)
		    ? token->kind == TOKEN_NUMBER && token->number == strtoull(text, NULL, 0)
		    : token_is(token, text, length)) {
		matcher->at++;
		return true;
	}
	snprintf(quoted, sizeof(quoted), "'%.*s'", (int)length, text);
	return expect_text(matcher, quoted);
}

static bool match_template(struct matcher *matcher, const char *text)
{
	while (*text) {
		size_t length = 1;

		if (text[0] == '%' && text[1] != '%') {
			length = 2;
			if (!match_operand(matcher, text[1]))
				return false;
		} else if (*text != ' ') {
			text += *text == '%';
			length = literal_length(text);
			if (!match_literal(matcher, text, length))
				return false;
		}
		text += length;
	}
	if (matcher->at->kind == TOKEN_SEPARATOR || matcher->at->kind == TOKEN_END)
		return true;
	return expect_text(matcher, "the end of the line");
}

/* The opcode byte and the fields that are part of the opcode. */
static struct bpf_insn row_insn(const struct insn_desc *desc)
{
	return (struct bpf_insn){
		.code = desc->code,
		.src_reg = desc->src.kind == FIELD_SELECT ? desc->src.value : 0,
		.off = desc->off.kind == FIELD_SELECT ? desc->off.value : 0,
		.imm = desc->imm.kind == FIELD_SELECT ? desc->imm.value : 0,
	};
}

static bool match_row(const struct token *tokens, enum insn_op op, const char *text,
		      struct statement *out, struct expectation *expectation)
{
	struct matcher matcher = {.tokens = tokens,
				  .at = tokens,
				  .desc = insn_desc(op),
				  .statement = out,
				  .expectation = expectation};

	*out = (struct statement){.op = op, .insn = {row_insn(matcher.desc)}};
	return match_template(&matcher, text);
}

bool statement_match(const struct token *tokens, struct statement *out,
		     struct expectation *expectation)
{
	struct statement candidate, too_large_one = {.op = INSN_INVALID};
	u32 count = INSN_OPS - 1 + ARRAY_SIZE(aliases);

	for (u32 i = 0; i < count; i++) {
		bool is_alias = i >= INSN_OPS - 1;
		enum insn_op op = is_alias ? aliases[i - (INSN_OPS - 1)].op : i + 1;
		const char *text =
			is_alias ? aliases[i - (INSN_OPS - 1)].text : insn_desc(op)->text;

		if (!match_row(tokens, op, text, &candidate, expectation))
			continue;
		if (!candidate.bad) {
			*out = candidate;
			return true;
		}
		if (too_large_one.op == INSN_INVALID)
			too_large_one = candidate;
	}
	*out = too_large_one;
	return too_large_one.op != INSN_INVALID;
}
