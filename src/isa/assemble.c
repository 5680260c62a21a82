/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembler: statements become instructions (match.c), labels become distances. */
#include "base/error.h"
#include "isa/match.h"

#include <errno.h>
#include <stdlib.h>

#define STATEMENT_TOKENS 32  /* the longest template has 19 */
#define WANTED_TEXT	 120 /* characters of the list of what could stand there */

struct label {
	struct token name;
	u32 at; /* index of the instruction that follows it */
};

/* An instruction whose target is a label that may follow later. */
struct reference {
	struct token name;
	u32 at;
};

/* An array that grows; `items` is owned. */
struct list {
	void *items;
	u32 count, capacity;
};

struct assembler {
	struct lexer lexer;
	struct token tokens[STATEMENT_TOKENS + 1];
	struct list insns, labels, references;
	struct skep_error *err;
};

static void *list_add(struct list *list, size_t size)
{
	if (list->count == list->capacity) {
		u32 capacity = list->capacity ? 2 * list->capacity : 64;
		void *items = reallocarray(list->items, capacity, size);

		if (!items)
			return NULL;
		list->items = items;
		list->capacity = capacity;
	}
	return (char *)list->items + size * list->count++;
}

static int out_of_memory(struct assembler *assembler)
{
	return error_set(assembler->err, SKEP_STAGE_DECODE, -ENOMEM, "out of memory");
}

#define REJECT_AT(token, ...)                                                       \
	({                                                                          \
		error_set(assembler->err, SKEP_STAGE_DECODE, -EINVAL, __VA_ARGS__); \
		error_where(assembler->err, "line %u, column %u", (token)->line,    \
			    (token)->column);                                       \
		-EINVAL;                                                            \
	})

/* What stands there, for a message. */
static void describe(const struct token *token, struct strbuf *out)
{
	if (token->kind == TOKEN_END)
		strbuf_adds(out, "the end of the text");
	else if (token->kind == TOKEN_SEPARATOR)
		strbuf_adds(out, "the end of the line");
	else
		strbuf_addf(out, "'%.*s'", (int)min(token->length, 40u), token->text);
}

static int reject_statement(struct assembler *assembler, const struct expectation *expectation)
{
	const struct token *token = &assembler->tokens[expectation->farthest];
	struct strbuf found;

	strbuf_init(&found);
	describe(token, &found);
	if (expectation->farthest == 0)
		REJECT_AT(token, "expected an instruction or a label, found %s",
			  strbuf_text(&found));
	else
		REJECT_AT(token, "expected %.*s%s, found %s", WANTED_TEXT,
			  strbuf_text(&expectation->wanted),
			  expectation->wanted.length > WANTED_TEXT ? " ..." : "",
			  strbuf_text(&found));
	strbuf_done(&found);
	return -EINVAL;
}

static int reject_bad_token(struct assembler *assembler, const struct token *token)
{
	if (token->length && token->text[0] != '/')
		return REJECT_AT(token, "expected a number of 64 bits, found '%.*s'",
				 (int)min(token->length, 40u), token->text);
	return REJECT_AT(token, "expected '*/', found the end of the text");
}

/* --- labels --- */

static const struct label *find_label(const struct assembler *assembler,
				      const struct token *name)
{
	const struct label *labels = assembler->labels.items;

	for (u32 i = 0; i < assembler->labels.count; i++)
		if (token_is(name, labels[i].name.text, labels[i].name.length))
			return &labels[i];
	return NULL;
}

static int add_label(struct assembler *assembler, const struct token *name)
{
	struct label *label;

	if (find_label(assembler, name))
		return REJECT_AT(name, "label '%.*s' is defined twice", (int)name->length,
				 name->text);
	label = list_add(&assembler->labels, sizeof(*label));
	if (!label)
		return out_of_memory(assembler);
	*label = (struct label){*name, assembler->insns.count};
	return 0;
}

static int resolve(struct assembler *assembler, const struct reference *reference)
{
	struct bpf_insn *insn = (struct bpf_insn *)assembler->insns.items + reference->at;
	const struct label *label = find_label(assembler, &reference->name);
	s64 distance;

	if (!label)
		return REJECT_AT(&reference->name, "label '%.*s' is not defined",
				 (int)reference->name.length, reference->name.text);
	distance = (s64)label->at - reference->at - 1;
	if (insn_desc(insn_op(insn))->off.kind != FIELD_TARGET) {
		insn->imm = distance;
		return 0;
	}
	if (distance != (s16)distance)
		return REJECT_AT(&reference->name,
				 "expected a label at most 32767 instructions away, found %lld",
				 distance);
	insn->off = distance;
	return 0;
}

static int resolve_all(struct assembler *assembler)
{
	const struct reference *references = assembler->references.items;
	int error = 0;

	for (u32 i = 0; i < assembler->references.count && !error; i++)
		error = resolve(assembler, &references[i]);
	return error;
}

/* --- statements --- */

static int emit(struct assembler *assembler, const struct statement *statement)
{
	u32 at = assembler->insns.count;

	for (u32 i = 0; i < insn_slots(statement->insn); i++) {
		struct bpf_insn *insn = list_add(&assembler->insns, sizeof(*insn));

		if (!insn)
			return out_of_memory(assembler);
		*insn = statement->insn[i];
	}
	if (statement->label) {
		struct reference *reference =
			list_add(&assembler->references, sizeof(*reference));

		if (!reference)
			return out_of_memory(assembler);
		*reference = (struct reference){*statement->label, at};
	}
	return 0;
}

static int assemble_statement(struct assembler *assembler, const struct token *tokens)
{
	struct expectation expectation = {0};
	struct statement statement;
	int error;

	strbuf_init(&expectation.wanted);
	if (!statement_match(tokens, &statement, &expectation)) {
		expectation.farthest += tokens - assembler->tokens;
		error = reject_statement(assembler, &expectation);
	} else if (statement.bad) {
		error = REJECT_AT(statement.bad, "expected %s", statement.wanted);
	} else {
		error = emit(assembler, &statement);
	}
	strbuf_done(&expectation.wanted);
	return error;
}

/* Tokens up to the end of the statement. */
static int read_statement(struct assembler *assembler, u32 *count)
{
	struct token *token = assembler->tokens;

	for (*count = 0;; token++) {
		lexer_next(&assembler->lexer, token);
		if (token->kind == TOKEN_BAD)
			return reject_bad_token(assembler, token);
		if (token->kind == TOKEN_SEPARATOR || token->kind == TOKEN_END)
			return 0;
		if (++*count == STATEMENT_TOKENS)
			return REJECT_AT(token, "expected the end of the line, found '%.*s'",
					 (int)min(token->length, 40u), token->text);
	}
}

/* Labels before the statement; `*tokens` and `*count` are moved past them. */
static int take_labels(struct assembler *assembler, const struct token **tokens, u32 *count)
{
	while (*count >= 2 && (*tokens)[0].kind == TOKEN_WORD &&
	       token_is(&(*tokens)[1], ":", 1)) {
		int error = add_label(assembler, *tokens);

		if (error)
			return error;
		*tokens += 2;
		*count -= 2;
	}
	return 0;
}

static int assemble_all(struct assembler *assembler)
{
	bool more = true;

	while (more) {
		const struct token *tokens = assembler->tokens;
		u32 count;
		int error = read_statement(assembler, &count);

		more = !error && assembler->tokens[count].kind != TOKEN_END;
		if (!error)
			error = take_labels(assembler, &tokens, &count);
		if (!error && count)
			error = assemble_statement(assembler, tokens);
		if (error)
			return error;
	}
	return resolve_all(assembler);
}

int insns_assemble(const char *text, struct bpf_insn **out, u32 *count, struct skep_error *err)
{
	struct assembler assembler = {.err = err};
	int error;

	lexer_init(&assembler.lexer, text);
	error = assemble_all(&assembler);
	free(assembler.labels.items);
	free(assembler.references.items);
	if (error) {
		free(assembler.insns.items);
		return error;
	}
	*out = assembler.insns.items;
	*count = assembler.insns.count;
	return 0;
}
