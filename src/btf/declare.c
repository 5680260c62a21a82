/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations: specifiers, declarators, and what becomes of them. Bodies of structures are in
 * declare_tag.c. */
#include "btf/declare.h"

#include "base/error.h"
#include "btf/declarer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NESTING_MAX    32
#define PARAMETERS_MAX 16

/* --- errors --- */

int declare_expected(struct declarer *declarer, const char *what)
{
	const struct c_lexer *lexer = &declarer->lexer;

	return error_set(declarer->err, SKEP_STAGE_BTF, -EINVAL,
			 "declarations, line %u: %s was expected at '%s'", lexer->line, what,
			 lexer->kind == TOKEN_END ? "the end" : lexer->text);
}

int declare_failed(struct declarer *declarer, const char *what, const char *name)
{
	return error_set(declarer->err, SKEP_STAGE_BTF, -EINVAL,
			 "declarations, line %u: '%s' %s", declarer->lexer.line, name, what);
}

int declare_expect(struct declarer *declarer, const char *text)
{
	char what[32];

	if (c_lexer_take(&declarer->lexer, text))
		return 0;
	snprintf(what, sizeof(what), "'%s'", text);
	return declare_expected(declarer, what);
}

int declare_take_name(struct declarer *declarer, char out[TOKEN_SIZE])
{
	if (declarer->lexer.kind != TOKEN_NAME)
		return declare_expected(declarer, "a name");
	memcpy(out, declarer->lexer.text, TOKEN_SIZE);
	c_lexer_next(&declarer->lexer);
	return 0;
}

static int enter(struct declarer *declarer)
{
	return declarer->depth++ < NESTING_MAX ? 0 : declare_expected(declarer, "less nesting");
}

/* --- integers --- */

static const struct integer {
	const char *name;
	u8 size, encoding;
} integers[] = {
	{"char", 1, BTF_INT_SIGNED},
	{"signed char", 1, BTF_INT_SIGNED},
	{"unsigned char", 1, 0},
	{"short int", 2, BTF_INT_SIGNED},
	{"short unsigned int", 2, 0},
	{"int", 4, BTF_INT_SIGNED},
	{"unsigned int", 4, 0},
	{"long int", sizeof(long), BTF_INT_SIGNED},
	{"long unsigned int", sizeof(long), 0},
	{"long long int", 8, BTF_INT_SIGNED},
	{"long long unsigned int", 8, 0},
	{"_Bool", 1, BTF_INT_BOOL},
};

/* Typedefs that need no declaration. */
static const struct {
	const char *name, *integer;
} known[] = {
	{"bool", "_Bool"},
	{"u8", "unsigned char"},
	{"s8", "signed char"},
	{"u16", "short unsigned int"},
	{"s16", "short int"},
	{"u32", "unsigned int"},
	{"s32", "int"},
	{"u64", "long long unsigned int"},
	{"s64", "long long int"},
	{"__u8", "unsigned char"},
	{"__s8", "signed char"},
	{"__u16", "short unsigned int"},
	{"__s16", "short int"},
	{"__u32", "unsigned int"},
	{"__s32", "int"},
	{"__u64", "long long unsigned int"},
	{"__s64", "long long int"},
	{"__be16", "short unsigned int"},
	{"__be32", "unsigned int"},
	{"__be64", "long long unsigned int"},
	{"uint8_t", "unsigned char"},
	{"int8_t", "signed char"},
	{"uint16_t", "short unsigned int"},
	{"int16_t", "short int"},
	{"uint32_t", "unsigned int"},
	{"int32_t", "int"},
	{"uint64_t", "long unsigned int"},
	{"int64_t", "long int"},
	{"size_t", "long unsigned int"},
	{"ssize_t", "long int"},
	{"uintptr_t", "long unsigned int"},
};

static u32 add_integer(struct btf_builder *builder, const struct integer *integer)
{
	u32 data = (u32)integer->encoding << 24 | integer->size * 8u;

	return btf_builder_add(builder, BTF_KIND_INT, integer->name, 0, integer->size, &data,
			       sizeof(data));
}

u32 declare_integer(struct btf_builder *builder, const char *name)
{
	u32 id = btf_builder_find(builder, name, BTF_KIND_INT);

	for (u32 i = 0; i < ARRAY_SIZE(integers) && !id; i++)
		if (!strcmp(integers[i].name, name))
			id = add_integer(builder, &integers[i]);
	return id;
}

static u32 find_typedef(struct btf_builder *builder, const char *name)
{
	u32 id = btf_builder_find(builder, name, BTF_KIND_TYPEDEF);

	for (u32 i = 0; i < ARRAY_SIZE(known) && !id; i++)
		if (!strcmp(known[i].name, name))
			id = btf_builder_add(builder, BTF_KIND_TYPEDEF, name, 0,
					     declare_integer(builder, known[i].integer), NULL,
					     0);
	return id;
}

/* --- specifiers --- */

enum word { WORD_CHAR, WORD_SHORT, WORD_INT, WORD_LONG, WORD_SIGNED, WORD_UNSIGNED, WORDS };

static const char *const words[WORDS] = {"char", "short", "int", "long", "signed", "unsigned"};

static bool take_word(struct declarer *declarer, u8 count[WORDS])
{
	for (u32 i = 0; i < WORDS; i++)
		if (count[i] < 2 && c_lexer_take(&declarer->lexer, words[i])) {
			count[i]++;
			return true;
		}
	return false;
}

static const char *name_of_words(const u8 count[WORDS])
{
	bool is_unsigned = count[WORD_UNSIGNED];

	if (count[WORD_CHAR])
		return is_unsigned	    ? "unsigned char"
		       : count[WORD_SIGNED] ? "signed char"
					    : "char";
	if (count[WORD_SHORT])
		return is_unsigned ? "short unsigned int" : "short int";
	if (count[WORD_LONG] == 2)
		return is_unsigned ? "long long unsigned int" : "long long int";
	if (count[WORD_LONG])
		return is_unsigned ? "long unsigned int" : "long int";
	return is_unsigned ? "unsigned int" : "int";
}

/* __attribute__((...)) tells nothing that BTF has. */
static int skip_attribute(struct declarer *declarer)
{
	u32 depth = 0;

	do {
		depth += c_lexer_is(&declarer->lexer, "(");
		depth -= c_lexer_is(&declarer->lexer, ")");
		if (!depth && !c_lexer_is(&declarer->lexer, ")"))
			return declare_expected(declarer, "'('");
		c_lexer_next(&declarer->lexer);
	} while (depth && declarer->lexer.kind != TOKEN_END);
	return 0;
}

/* Passes what does not change the type. */
static int take_qualifiers(struct declarer *declarer, bool *is_const)
{
	static const char *const ignored[] = {"extern",	  "static",   "inline",
					      "volatile", "restrict", "__restrict"};
	struct c_lexer *lexer = &declarer->lexer;

	for (;;) {
		bool taken = c_lexer_take(lexer, "const");

		*is_const |= taken;
		for (u32 i = 0; i < ARRAY_SIZE(ignored) && !taken; i++)
			taken = c_lexer_take(lexer, ignored[i]);
		if (!taken && c_lexer_take(lexer, "__attribute__")) {
			int ret = skip_attribute(declarer);

			if (ret)
				return ret;
			taken = true;
		}
		if (!taken)
			return 0;
	}
}

static int take_type(struct declarer *declarer, u32 *out)
{
	struct c_lexer *lexer = &declarer->lexer;
	u8 count[WORDS] = {0};
	bool ignored = false;
	int ret = 0;

	if (c_lexer_take(lexer, "struct"))
		return declare_tagged(declarer, BTF_KIND_STRUCT, out);
	if (c_lexer_take(lexer, "union"))
		return declare_tagged(declarer, BTF_KIND_UNION, out);
	if (c_lexer_take(lexer, "enum"))
		return declare_tagged(declarer, BTF_KIND_ENUM, out);
	if (c_lexer_take(lexer, "void")) {
		*out = 0;
		return 0;
	}
	if (take_word(declarer, count)) {
		while (!ret && take_word(declarer, count))
			ret = take_qualifiers(declarer, &ignored);
		*out = declare_integer(declarer->builder, name_of_words(count));
		return ret;
	}
	*out = lexer->kind == TOKEN_NAME ? declare_integer(declarer->builder, lexer->text) : 0;
	if (lexer->kind == TOKEN_NAME && !*out)
		*out = find_typedef(declarer->builder, lexer->text);
	if (!*out)
		return declare_expected(declarer, "a type");
	c_lexer_next(lexer);
	return 0;
}

int declare_specifiers(struct declarer *declarer, u32 *out)
{
	bool is_const = false;
	int ret = take_qualifiers(declarer, &is_const);

	if (!ret)
		ret = take_type(declarer, out);
	if (!ret)
		ret = take_qualifiers(declarer, &is_const);
	if (!ret && is_const)
		*out = btf_builder_reference(declarer->builder, BTF_KIND_CONST, *out);
	return ret;
}

/* --- declarators --- */

/* What an argument of the type is passed as. */
static u32 decayed(struct btf_builder *builder, u32 id)
{
	const struct btf_type *type = id ? btf_builder_type(builder, id) : NULL;

	if (type && btf_kind(type) == BTF_KIND_ARRAY)
		return btf_builder_reference(builder, BTF_KIND_PTR, btf_array(type)->type);
	if (type && btf_kind(type) == BTF_KIND_FUNC_PROTO)
		return btf_builder_reference(builder, BTF_KIND_PTR, id);
	return id;
}

static int take_parameter(struct declarer *declarer, struct btf_param *out)
{
	struct declarator parameter;
	u32 type;
	int ret = declare_specifiers(declarer, &type);

	if (!ret)
		ret = declare_declarator(declarer, type, &parameter);
	if (ret)
		return ret;
	if (!parameter.name[0] && !parameter.type)
		return 0; /* void, where it stands alone */
	if (!parameter.name[0])
		return declare_expected(declarer, "the parameter's name");
	out->name_off = btf_builder_string(declarer->builder, parameter.name);
	out->type = decayed(declarer->builder, parameter.type);
	return 0;
}

/* Behind "(". */
static int take_prototype(struct declarer *declarer, u32 result, u32 *out)
{
	struct btf_param parameters[PARAMETERS_MAX] = {0};
	u32 count = 0;
	int ret = 0;

	while (!c_lexer_take(&declarer->lexer, ")")) {
		if (count == PARAMETERS_MAX)
			return declare_expected(declarer, "at most 16 parameters");
		if (count)
			ret = declare_expect(declarer, ",");
		if (!ret)
			ret = take_parameter(declarer, &parameters[count]);
		if (ret)
			return ret;
		if (!parameters[count].type) {
			if (count || !c_lexer_take(&declarer->lexer, ")"))
				return declare_expected(declarer, "a parameter with a type");
			break;
		}
		count++;
	}
	*out = btf_builder_add(declarer->builder, BTF_KIND_FUNC_PROTO, "", count, result,
			       parameters, count * sizeof(*parameters));
	return 0;
}

static int take_suffix(struct declarer *declarer, u32 type, u32 *out);

/* Behind "[". */
static int take_array(struct declarer *declarer, u32 type, u32 *out)
{
	struct c_lexer *lexer = &declarer->lexer;
	struct btf_array array = {0};
	int ret;

	if (lexer->kind == TOKEN_NUMBER) {
		if (lexer->number < 0 || lexer->number > INT32_MAX)
			return declare_expected(declarer, "a length");
		array.nelems = (u32)lexer->number;
		c_lexer_next(lexer);
	}
	ret = declare_expect(declarer, "]");
	if (!ret)
		ret = take_suffix(declarer, type, &array.type);
	if (ret)
		return ret;
	array.index_type = declare_integer(declarer->builder, "unsigned int");
	*out = btf_builder_add(declarer->builder, BTF_KIND_ARRAY, "", 0, 0, &array,
			       sizeof(array));
	return 0;
}

static int take_suffix(struct declarer *declarer, u32 type, u32 *out)
{
	int ret = enter(declarer);

	*out = type;
	if (!ret && c_lexer_take(&declarer->lexer, "["))
		ret = take_array(declarer, type, out);
	else if (!ret && c_lexer_take(&declarer->lexer, "("))
		ret = take_prototype(declarer, type, out);
	declarer->depth--;
	return ret;
}

/* "(*name)(...)": what stands outside is applied first. */
static int take_inner(struct declarer *declarer, u32 type, struct declarator *out)
{
	struct c_lexer inner = declarer->lexer, behind;
	u32 depth = 1;
	int ret;

	while (depth) {
		if (declarer->lexer.kind == TOKEN_END)
			return declare_expected(declarer, "')'");
		depth += c_lexer_is(&declarer->lexer, "(");
		depth -= c_lexer_is(&declarer->lexer, ")");
		c_lexer_next(&declarer->lexer);
	}
	ret = take_suffix(declarer, type, &type);
	behind = declarer->lexer;
	declarer->lexer = inner;
	if (!ret)
		ret = declare_declarator(declarer, type, out);
	if (!ret)
		ret = declare_expect(declarer, ")");
	if (!ret)
		declarer->lexer = behind;
	return ret;
}

static bool begins_inner(const struct declarer *declarer)
{
	struct c_lexer ahead = declarer->lexer;

	return c_lexer_take(&ahead, "(") && c_lexer_is(&ahead, "*");
}

static int take_direct(struct declarer *declarer, u32 type, struct declarator *out)
{
	if (begins_inner(declarer)) {
		c_lexer_next(&declarer->lexer);
		return take_inner(declarer, type, out);
	}
	out->name[0] = '\0';
	if (declarer->lexer.kind == TOKEN_NAME)
		declare_take_name(declarer, out->name);
	return take_suffix(declarer, type, &out->type);
}

int declare_declarator(struct declarer *declarer, u32 type, struct declarator *out)
{
	struct btf_builder *builder = declarer->builder;
	int ret = enter(declarer);

	while (!ret && c_lexer_take(&declarer->lexer, "*")) {
		bool is_const = false;

		type = btf_builder_reference(builder, BTF_KIND_PTR, type);
		ret = take_qualifiers(declarer, &is_const);
		if (is_const)
			type = btf_builder_reference(builder, BTF_KIND_CONST, type);
	}
	if (!ret)
		ret = take_direct(declarer, type, out);
	declarer->depth--;
	return ret;
}

/* --- declarations --- */

static int add_typedef(struct declarer *declarer, const struct declarator *declared)
{
	if (btf_builder_find_new(declarer->builder, declared->name, BTF_KIND_TYPEDEF))
		return declare_failed(declarer, "is declared twice", declared->name);
	btf_builder_add(declarer->builder, BTF_KIND_TYPEDEF, declared->name, 0, declared->type,
			NULL, 0);
	return 0;
}

static int add_function(struct declarer *declarer, const struct declarator *declared)
{
	const struct btf_type *type =
		declared->type ? btf_builder_type(declarer->builder, declared->type) : NULL;

	if (declarer->builder->failed)
		return 0;
	if (!type || btf_kind(type) != BTF_KIND_FUNC_PROTO)
		return declare_failed(declarer, "is not a function", declared->name);
	if (btf_builder_find_new(declarer->builder, declared->name, BTF_KIND_FUNC))
		return declare_failed(declarer, "is declared twice", declared->name);
	btf_builder_add(declarer->builder, BTF_KIND_FUNC, declared->name, BTF_FUNC_STATIC,
			declared->type, NULL, 0);
	return 0;
}

static int take_declaration(struct declarer *declarer)
{
	bool is_typedef = c_lexer_take(&declarer->lexer, "typedef"), ignored = false;
	struct declarator declared;
	u32 type;
	int ret = declare_specifiers(declarer, &type);

	if (ret || c_lexer_take(&declarer->lexer, ";"))
		return ret;
	do {
		ret = declare_declarator(declarer, type, &declared);
		if (!ret && !declared.name[0])
			ret = declare_expected(declarer, "a name");
		if (!ret)
			ret = take_qualifiers(declarer, &ignored);
		if (!ret)
			ret = is_typedef ? add_typedef(declarer, &declared)
					 : add_function(declarer, &declared);
	} while (!ret && c_lexer_take(&declarer->lexer, ","));
	return ret ? ret : declare_expect(declarer, ";");
}

int btf_declare(struct btf_builder *builder, const char *text, struct skep_error *err)
{
	struct declarer declarer = {.builder = builder, .err = err};
	int ret = 0;

	c_lexer_start(&declarer.lexer, text);
	while (!ret && declarer.lexer.kind != TOKEN_END)
		ret = take_declaration(&declarer);
	if (!ret && (builder->failed || builder->strings.failed))
		return error_set(err, SKEP_STAGE_BTF, -ENOMEM, "declarations: out of memory");
	return ret;
}
