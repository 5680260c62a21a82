/* SPDX-License-Identifier: BSD-2-Clause */
/* Recursive descent over the type: the text is read as the type wants it. */
#include "btf/parse.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 32

struct parser {
	const struct btf_view *btf;
	const char *start, *at;
	struct skep_error *err;
	int depth;
};

static int parse_type(struct parser *parser, u32 type_id, u8 *out, size_t size);

static int expected(struct parser *parser, const char *what)
{
	return error_set(parser->err, SKEP_STAGE_CALL, -EINVAL,
			 "'%.40s' at character %zu of '%.80s': expected %s",
			 *parser->at ? parser->at : "(end)",
			 (size_t)(parser->at - parser->start) + 1, parser->start, what);
}

static void skip_space(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
}

static bool take(struct parser *parser, char c)
{
	skip_space(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* The characters that a number, a name or an address is made of. */
static size_t word_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) ||
	       (text[length] && strchr("_.:-+", text[length])))
		length++;
	return length;
}

/* Copies the next word; false: none, or too long. */
static bool peek_word(struct parser *parser, char *word, size_t room)
{
	size_t length;

	skip_space(parser);
	length = word_length(parser->at);
	if (!length || length >= room)
		return false;
	memcpy(word, parser->at, length);
	word[length] = '\0';
	return true;
}

static bool parse_mac(const char *word, u8 *out)
{
	for (int i = 0; i < 6; i++) {
		if (!isxdigit((unsigned char)word[0]) || !isxdigit((unsigned char)word[1]) ||
		    word[2] != (i < 5 ? ':' : '\0'))
			return false;
		out[i] = strtoul(word, NULL, 16);
		word += 3;
	}
	return true;
}

/* An address in network order when the word is one of `size` bytes. */
static bool parse_address(struct parser *parser, u8 *out, size_t size)
{
	char word[64];
	bool found;

	if (!peek_word(parser, word, sizeof(word)))
		return false;
	found = size == 4    ? inet_pton(AF_INET, word, out) == 1
		: size == 16 ? inet_pton(AF_INET6, word, out) == 1
		: size == 6  ? parse_mac(word, out)
			     : false;
	if (found)
		parser->at += strlen(word);
	return found;
}

/* Whether the name says network byte order: __be16, __be32, __be64 on the way to the integer.
 */
static bool is_big_endian(const struct btf_view *btf, u32 type_id)
{
	const struct btf_type *type;

	while ((type = btf_type(btf, type_id)) != NULL) {
		if (btf_kind(type) == BTF_KIND_TYPEDEF &&
		    !strncmp(btf_type_name(btf, type_id), "__be", 4))
			return true;
		if (btf_kind(type) != BTF_KIND_TYPEDEF && btf_kind(type) != BTF_KIND_CONST &&
		    btf_kind(type) != BTF_KIND_VOLATILE && btf_kind(type) != BTF_KIND_TYPE_TAG)
			return false;
		type_id = type->type;
	}
	return false;
}

static void store(u8 *out, size_t size, u64 value, bool big_endian)
{
	bool reverse = big_endian == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	for (size_t i = 0; i < size; i++)
		out[reverse ? size - 1 - i : i] =
			value >>
			8 * (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : size - 1 - i);
}

static bool fits(u64 value, bool is_negative, size_t size)
{
	if (size >= 8)
		return true;
	if (is_negative)
		return (s64)value >= -(1ll << (size * 8 - 1));
	return value < 1ull << size * 8;
}

static bool read_number(const char *word, u64 *value, bool *is_negative)
{
	char *end;

	*is_negative = *word == '-';
	if (!isdigit((unsigned char)word[*is_negative]))
		return false;
	errno = 0;
	*value = *is_negative ? (u64)strtoll(word, &end, 0) : strtoull(word, &end, 0);
	return !errno && !*end;
}

static bool parse_character(struct parser *parser, u64 *value)
{
	skip_space(parser);
	if (parser->at[0] != '\'' || !parser->at[1] || parser->at[2] != '\'')
		return false;
	*value = (u8)parser->at[1];
	parser->at += 3;
	return true;
}

static int parse_integer(struct parser *parser, u32 type_id, u8 *out, size_t size)
{
	bool is_negative = false;
	char word[64];
	u64 value;

	if (parse_character(parser, &value)) {
		store(out, size, value, false);
		return 0;
	}
	if (is_big_endian(parser->btf, type_id) && parse_address(parser, out, size))
		return 0;
	if (!peek_word(parser, word, sizeof(word)))
		return expected(parser, "a number");
	if (!strcmp(word, "true") || !strcmp(word, "false"))
		value = *word == 't';
	else if (!read_number(word, &value, &is_negative))
		return expected(parser, "a number");
	if (!fits(value, is_negative, size))
		return expected(parser, size == 1   ? "a number that fits 1 byte"
					: size == 2 ? "a number that fits 2 bytes"
						    : "a number that fits 4 bytes");
	parser->at += strlen(word);
	store(out, size, value, is_big_endian(parser->btf, type_id));
	return 0;
}

static bool find_enumerator(const struct btf_view *btf, const struct btf_type *type,
			    const char *name, u64 *value)
{
	const struct btf_enum64 *wide = (const void *)(type + 1);
	const struct btf_enum *narrow = (const void *)(type + 1);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		if (btf_kind(type) == BTF_KIND_ENUM64) {
			*value = (u64)wide[i].val_hi32 << 32 | wide[i].val_lo32;
			if (!strcmp(btf_string(btf, wide[i].name_off), name))
				return true;
		} else {
			*value = narrow[i].val;
			if (!strcmp(btf_string(btf, narrow[i].name_off), name))
				return true;
		}
	}
	return false;
}

static int parse_enum(struct parser *parser, const struct btf_type *type, u32 type_id, u8 *out,
		      size_t size)
{
	char word[128];
	u64 value;

	if (!peek_word(parser, word, sizeof(word)))
		return expected(parser, "an enumerator or a number");
	if (!find_enumerator(parser->btf, type, word, &value)) {
		if (!isdigit((unsigned char)*word) && *word != '-')
			return expected(parser, "an enumerator or a number");
		return parse_integer(parser, type_id, out, size);
	}
	parser->at += strlen(word);
	store(out, size, value, false);
	return 0;
}

static int parse_text(struct parser *parser, u8 *out, size_t size)
{
	size_t length = 0;

	for (; *parser->at && *parser->at != '"'; parser->at++, length++) {
		if (length == size)
			return expected(parser, "the end of a text that fits the array");
		out[length] = *parser->at;
	}
	return take(parser, '"') ? 0 : expected(parser, "'\"'");
}

/* Calls for each element between braces; `next` reads one. */
static int parse_list(struct parser *parser, int (*next)(struct parser *parser, void *cookie),
		      void *cookie)
{
	int code = 0;

	if (!take(parser, '{'))
		return expected(parser, "'{'");
	if (take(parser, '}'))
		return 0;
	do
		code = next(parser, cookie);
	while (!code && take(parser, ','));
	if (!code && !take(parser, '}'))
		return expected(parser, "',' or '}'");
	return code;
}

struct array_cursor {
	u32 element_type, count, index;
	size_t element_size;
	u8 *out;
};

static int parse_element(struct parser *parser, void *cookie)
{
	struct array_cursor *cursor = cookie;
	u32 index = cursor->index++;

	if (index >= cursor->count)
		return expected(parser, "'}': the array is full");
	return parse_type(parser, cursor->element_type,
			  cursor->out + index * cursor->element_size, cursor->element_size);
}

static int parse_array(struct parser *parser, const struct btf_type *type, u8 *out, size_t size)
{
	const struct btf_array *array = (const void *)(type + 1);
	s64 element_size = btf_size(parser->btf, array->type);
	struct array_cursor cursor = {
		.element_type = array->type,
		.count = array->nelems,
		.element_size = element_size,
		.out = out,
	};

	if (element_size < 0 || (u64)element_size * array->nelems > size)
		return expected(parser, "a value of a type with a size");
	if (element_size == 1 && take(parser, '"'))
		return parse_text(parser, out, size);
	skip_space(parser);
	if (*parser->at != '{' && parse_address(parser, out, size))
		return 0;
	return parse_list(parser, parse_element, &cursor);
}

struct struct_cursor {
	const struct btf_type *type;
	u32 index;
	u8 *out;
	size_t size;
};

/* Moves the cursor to the member that ".name =" names. */
static int parse_designator(struct parser *parser, struct struct_cursor *cursor)
{
	const struct btf_member *members = (const void *)(cursor->type + 1);
	size_t length = 0;

	while (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '_')
		length++;
	for (u32 i = 0; i < btf_vlen(cursor->type); i++) {
		const char *name = btf_string(parser->btf, members[i].name_off);

		if (!length || strlen(name) != length || strncmp(name, parser->at, length))
			continue;
		parser->at += length;
		cursor->index = i;
		return take(parser, '=') ? 0 : expected(parser, "'='");
	}
	return expected(parser, "the name of a member");
}

static int parse_member(struct parser *parser, void *cookie)
{
	struct struct_cursor *cursor = cookie;
	const struct btf_member *member = (const void *)(cursor->type + 1);
	u32 offset;
	s64 size;
	int code;

	if (take(parser, '.')) {
		code = parse_designator(parser, cursor);
		if (code)
			return code;
	}
	if (cursor->index >= btf_vlen(cursor->type))
		return expected(parser, "'}': no member is left");
	member += cursor->index++;
	offset = BTF_INFO_KFLAG(cursor->type->info) ? BTF_MEMBER_BIT_OFFSET(member->offset)
						    : member->offset;
	if (offset % 8 ||
	    (BTF_INFO_KFLAG(cursor->type->info) && BTF_MEMBER_BITFIELD_SIZE(member->offset)))
		return expected(parser, "a member that is not a bit-field");
	size = btf_size(parser->btf, member->type);
	if (size < 0 || offset / 8 + (u64)size > cursor->size)
		return expected(parser, "a member of a type with a size");
	return parse_type(parser, member->type, cursor->out + offset / 8, size);
}

static int parse_struct(struct parser *parser, const struct btf_type *type, u8 *out,
			size_t size)
{
	struct struct_cursor cursor = {.type = type, .out = out, .size = size};

	skip_space(parser);
	if (*parser->at != '{' && parse_address(parser, out, size))
		return 0;
	return parse_list(parser, parse_member, &cursor);
}

static int parse_resolved(struct parser *parser, u32 type_id, u8 *out, size_t size)
{
	u32 resolved = btf_resolve(parser->btf, type_id);
	const struct btf_type *type = btf_type(parser->btf, resolved);

	switch (type ? btf_kind(type) : BTF_KIND_UNKN) {
	case BTF_KIND_INT:
		if (size > 8)
			break;
		return parse_integer(parser, type_id, out, size);
	case BTF_KIND_PTR: return parse_integer(parser, type_id, out, size);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return parse_enum(parser, type, type_id, out, size);
	case BTF_KIND_ARRAY: return parse_array(parser, type, out, size);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return parse_struct(parser, type, out, size);
	default: break;
	}
	return expected(parser, "a value of an integer, enum, array, struct or union type");
}

static int parse_type(struct parser *parser, u32 type_id, u8 *out, size_t size)
{
	int code;

	if (++parser->depth > NESTING_MAX)
		return expected(parser, "at most 32 levels of braces");
	code = parse_resolved(parser, type_id, out, size);
	parser->depth--;
	return code;
}

int btf_parse_value(const struct btf_view *btf, u32 type_id, const char **text, void *out,
		    size_t size, struct skep_error *err)
{
	struct parser parser = {.btf = btf, .start = *text, .at = *text, .err = err};
	s64 type_size = btf_size(btf, type_id);
	int code;

	if (type_size < 0 || (u64)type_size > size)
		return expected(&parser, "a type that fits the map");
	memset(out, 0, size);
	code = parse_type(&parser, type_id, out, type_size);
	*text = parser.at;
	return code;
}
