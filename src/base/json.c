/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/json.h"

#include <math.h>
#include <string.h>

void json_init(struct json *json, struct strbuf *out, bool pretty)
{
	*json = (struct json){.out = out, .pretty = pretty};
}

static void json_newline(struct json *json)
{
	if (!json->pretty)
		return;
	strbuf_addc(json->out, '\n');
	for (int i = 0; i < json->depth; i++)
		strbuf_adds(json->out, "    ");
}

/* The length of the UTF-8 sequence at `text`, 0 when there is none. */
static size_t utf8_length(const u8 *text, size_t room)
{
	size_t length = text[0] < 0x80	 ? 1
			: text[0] < 0xc2 ? 0
			: text[0] < 0xe0 ? 2
			: text[0] < 0xf0 ? 3
			: text[0] < 0xf5 ? 4
					 : 0;

	if (length > room)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

static size_t json_character(struct json *json, const u8 *text, size_t room)
{
	size_t length = utf8_length(text, room);

	if (*text == '"' || *text == '\\')
		strbuf_addf(json->out, "\\%c", *text);
	else if (*text == '\n')
		strbuf_adds(json->out, "\\n");
	else if (*text == '\t')
		strbuf_adds(json->out, "\\t");
	else if (*text < 0x20 || *text == 0x7f || !length)
		strbuf_addf(json->out, "\\u%04x", *text);
	else
		strbuf_add(json->out, (const char *)text, length);
	return length ? length : 1;
}

static void json_quote(struct json *json, const char *text, size_t length)
{
	strbuf_addc(json->out, '"');
	for (size_t i = 0; i < length;)
		i += json_character(json, (const u8 *)text + i, length - i);
	strbuf_addc(json->out, '"');
}

static void json_begin(struct json *json, const char *name)
{
	if (json->need_comma)
		strbuf_addc(json->out, ',');
	if (json->depth)
		json_newline(json);
	if (name) {
		json_quote(json, name, strlen(name));
		strbuf_adds(json->out, json->pretty ? ": " : ":");
	}
	json->need_comma = true;
}

static void json_open(struct json *json, const char *name, char bracket)
{
	json_begin(json, name);
	strbuf_addc(json->out, bracket);
	json->need_comma = false;
	json->depth++;
}

static void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->need_comma)
		json_newline(json);
	strbuf_addc(json->out, bracket);
	json->need_comma = json->depth > 0;
}

void json_object(struct json *json, const char *name)
{
	json_open(json, name, '{');
}

void json_object_end(struct json *json)
{
	json_close(json, '}');
}

void json_array(struct json *json, const char *name)
{
	json_open(json, name, '[');
}

void json_array_end(struct json *json)
{
	json_close(json, ']');
}

void json_bytes(struct json *json, const char *name, const char *value, size_t length)
{
	json_begin(json, name);
	json_quote(json, value, length);
}

void json_string(struct json *json, const char *name, const char *value)
{
	json_bytes(json, name, value, strlen(value));
}

void json_int(struct json *json, const char *name, s64 value)
{
	json_begin(json, name);
	strbuf_addf(json->out, "%lld", value);
}

void json_uint(struct json *json, const char *name, u64 value)
{
	json_begin(json, name);
	strbuf_addf(json->out, "%llu", value);
}

void json_double(struct json *json, const char *name, double value)
{
	json_begin(json, name);
	if (isfinite(value))
		strbuf_addf(json->out, "%.10g", value);
	else
		strbuf_adds(json->out, "null");
}

void json_bool(struct json *json, const char *name, bool value)
{
	json_begin(json, name);
	strbuf_adds(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
	json_begin(json, name);
	strbuf_adds(json->out, "null");
}
