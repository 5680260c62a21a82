/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/config.h"
#include "base/os.h"
#include "base/strbuf.h"
#include "cli/command.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1ull << 30)
#define BLANKS	 " \t\r"

int config_error(const struct config *config, const char *format, ...)
{
	struct strbuf text;
	va_list args;

	strbuf_init(&text);
	va_start(args, format);
	strbuf_vaddf(&text, format, args);
	va_end(args);
	usage_error("%s:%u: %s", config->path, config->line, strbuf_text(&text));
	strbuf_done(&text);
	return EXIT_NO_VERDICT;
}

int config_open(struct config *config, const char *path)
{
	size_t size;
	int ret;

	*config = (struct config){.path = path};
	ret = os_read_file(path, FILE_MAX, &config->text, &size);
	if (ret)
		return usage_error("%s: %s", path, strerror(-ret));
	config->at = config->text;
	config->end = config->text + size;
	return 0;
}

void config_close(struct config *config)
{
	free(config->text);
	*config = (struct config){};
}

/* False: there are more than fit. */
static bool split_words(struct config *config, char *line)
{
	config->count = config->next = 0;
	for (line += strspn(line, BLANKS); *line; line += strspn(line, BLANKS)) {
		if (config->count == CONFIG_WORDS_MAX)
			return false;
		config->words[config->count++] = line;
		line += strcspn(line, BLANKS);
		if (*line)
			*line++ = '\0';
	}
	return true;
}

int config_next(struct config *config)
{
	while (config->at < config->end) {
		char *line = config->at;
		char *end = memchr(line, '\n', config->end - line) ?: config->end;

		*end = '\0';
		config->at = end + 1;
		config->line++;
		if (strlen(line) != (size_t)(end - line))
			return -config_error(config, "a zero byte: this is no text");
		line[strcspn(line, "#")] = '\0';
		if (!split_words(config, line))
			return -config_error(config, "more than %d words", CONFIG_WORDS_MAX);
		if (config->count)
			return 1;
	}
	return 0;
}

static int read_line(struct config *config, const struct config_row *rows, u32 count,
		     void *state)
{
	const char *word = config->words[config->next++];
	struct strbuf known;

	for (u32 i = 0; i < count; i++)
		if (!strcmp(rows[i].word, word))
			return rows[i].read(state, config) ?: config_end(config);
	strbuf_init(&known);
	for (u32 i = 0; i < count; i++)
		strbuf_addf(&known, "%s%s", i ? ", " : "", rows[i].word);
	config_error(config, "'%s' is no statement; expected one of %s", word,
		     strbuf_text(&known));
	strbuf_done(&known);
	return EXIT_NO_VERDICT;
}

int config_read(const char *path, const struct config_row *rows, u32 count, void *state)
{
	struct config config;
	int got = 0, code = config_open(&config, path);

	while (!code && (got = config_next(&config)) > 0)
		code = read_line(&config, rows, count, state);
	config_close(&config);
	return code ?: -got;
}

bool config_has_more(const struct config *config)
{
	return config->next < config->count;
}

bool config_is(struct config *config, const char *word)
{
	if (!config_has_more(config) || strcmp(config->words[config->next], word))
		return false;
	config->next++;
	return true;
}

const char *config_word(struct config *config, const char *what)
{
	if (config_has_more(config))
		return config->words[config->next++];
	config_error(config, "expected %s behind '%s'", what, config->words[config->next - 1]);
	return NULL;
}

int config_number(struct config *config, const char *what, u64 least, u64 most, u64 *out)
{
	const char *word = config_word(config, what);
	char *end;
	u64 value;

	if (!word)
		return EXIT_NO_VERDICT;
	value = strtoull(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || value < least || value > most)
		return config_error(config,
				    "'%s' is no %s; expected a number from %llu to %llu", word,
				    what, least, most);
	*out = value;
	return 0;
}

int config_choice(struct config *config, const char *const *names, u32 count, u32 *out)
{
	const char *word = NULL;
	struct strbuf known;
	int code = 0;

	strbuf_init(&known);
	for (u32 i = 0; i < count; i++)
		strbuf_addf(&known, "%s%s", i ? ", " : "", names[i]);
	if (config_has_more(config))
		word = config->words[config->next];
	for (*out = 0; *out < count && !(word && !strcmp(names[*out], word));)
		++*out;
	if (!word)
		code = config_error(config, "expected one of %s behind '%s'",
				    strbuf_text(&known), config->words[config->next - 1]);
	else if (*out == count)
		code = config_error(config, "'%s', expected one of %s", word,
				    strbuf_text(&known));
	else
		config->next++;
	strbuf_done(&known);
	return code;
}

int config_file(struct config *config, char **out)
{
	const char *slash = strrchr(config->path, '/'), *word = config_word(config, "a file");
	const int folder = slash ? (int)(slash + 1 - config->path) : 0;

	if (!word)
		return EXIT_NO_VERDICT;
	if (asprintf(out, "%.*s%s", *word == '/' ? 0 : folder, config->path, word) < 0)
		return usage_error("out of memory");
	return 0;
}

int config_end(const struct config *config)
{
	return config_has_more(config)
		       ? config_error(config, "'%s' is left over", config->words[config->next])
		       : 0;
}

/* --- addresses --- */

static bool parse_address(const char *text, struct config_address *out)
{
	*out = (struct config_address){};
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, text, out->bytes) == 1)
		out->family = 6;
	out->length = out->family == 4 ? 32 : 128;
	return out->family;
}

bool config_same_address(const struct config_address *a, const struct config_address *b)
{
	return a->family == b->family && a->length == b->length &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* The bits behind the length become zero; whether they were. */
static bool clear_host_bits(struct config_address *address)
{
	bool were_zero = true;

	for (u32 i = 0; i < 16; i++) {
		const int bits = (int)address->length - 8 * (int)i;
		const u8 mask = bits >= 8 ? 0xff : bits <= 0 ? 0 : (u8)(0xff00 >> bits);

		were_zero &= !(address->bytes[i] & ~mask);
		address->bytes[i] &= mask;
	}
	return were_zero;
}

const char *config_address_text(const struct config_address *address,
				char text[CONFIG_ADDRESS_TEXT])
{
	return inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text,
			 CONFIG_ADDRESS_TEXT);
}

static int refuse_host_bits(const struct config *config, const char *word,
			    const struct config_address *address)
{
	char text[CONFIG_ADDRESS_TEXT];

	return config_error(config, "'%s' has bits behind its length; is %s/%u meant?", word,
			    config_address_text(address, text), address->length);
}

int config_prefix(struct config *config, bool may_be_any, struct config_address *out)
{
	struct config_address address;
	const char *word, *slash;
	char text[64], *end;

	if (may_be_any && config_is(config, "any")) {
		*out = (struct config_address){};
		return 0;
	}
	word = config_word(config, "an address or prefix");
	if (!word)
		return EXIT_NO_VERDICT;
	slash = strchr(word, '/');
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(word, "/"), word);
	if (!parse_address(text, &address))
		return config_error(config, "'%s' is no address or prefix such as 10.0.0.0/8",
				    word);
	if (slash) {
		const unsigned long length = strtoul(slash + 1, &end, 10);

		if (slash[1] < '0' || slash[1] > '9' || *end || length > address.length)
			return config_error(config,
					    "'%s': expected a length of 0 to %u behind /", word,
					    address.length);
		address.length = (u8)length;
	}
	if (!clear_host_bits(&address))
		return refuse_host_bits(config, word, &address);
	*out = address;
	return 0;
}

int config_host(struct config *config, struct config_address *out)
{
	const char *word = config_word(config, "an address");

	if (!word)
		return EXIT_NO_VERDICT;
	return parse_address(word, out)
		       ? 0
		       : config_error(config, "'%s' is no address such as 10.0.0.1", word);
}

socklen_t config_socket_address(const struct config_address *address, u16 port,
				struct sockaddr_storage *out)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	*out = (struct sockaddr_storage){};
	if (address->family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, address->bytes, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

/* --- ports --- */

/* A number up to `*text`'s next mark. */
static bool parse_port(const char **text, u16 *out)
{
	char *end;
	const unsigned long value = strtoul(*text, &end, 10);

	if (**text < '0' || **text > '9' || value > UINT16_MAX)
		return false;
	*text = end;
	*out = (u16)value;
	return true;
}

static bool parse_range(const char **text, struct config_range *out)
{
	if (!parse_port(text, &out->low))
		return false;
	out->high = out->low;
	if (**text != '-')
		return true;
	++*text;
	return parse_port(text, &out->high) && out->high >= out->low;
}

int config_ports(struct config *config, struct config_range *out, u32 *count)
{
	const char *word = config_word(config, "ports"), *at;

	*count = 0;
	if (!word)
		return EXIT_NO_VERDICT;
	for (at = word;; at++) {
		if (*count == CONFIG_RANGES_MAX)
			return config_error(config, "more than %d ports or ranges of ports",
					    CONFIG_RANGES_MAX);
		if (!parse_range(&at, &out[*count]) || (*at && *at != ','))
			return config_error(
				config, "'%s' are no ports; expected such as 80,443,8000-8010",
				word);
		++*count;
		if (!*at)
			return 0;
	}
}
