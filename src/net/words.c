/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/words.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_flag(const struct port_word *word)
{
	return word->low == 1 && word->high == 1;
}

static int unknown(const char *kind, const char *name, const struct port_word *words, u32 count,
		   struct skep_error *err)
{
	char known[160] = "";

	for (u32 i = 0; i < count; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s%s",
			 i ? ", " : "", words[i].name, is_flag(&words[i]) ? "" : "=N");
	return error_set(err, SKEP_STAGE_PORT, -EINVAL, "%s: unknown word '%s': expected %s",
			 kind, name, known);
}

static int set_number(const char *kind, const struct port_word *word, const char *value,
		      struct skep_error *err)
{
	char *end;
	u64 number;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || errno || *end || number < word->low ||
	    number > word->high)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "%s: %s=%s: expected a number from %llu to %llu", kind,
				 word->name, value, word->low, word->high);
	*word->out = number;
	return 0;
}

static int set_word(const char *kind, char *text, const struct port_word *words, u32 count,
		    struct skep_error *err)
{
	char *value = strchr(text, '=');
	u32 i = 0;

	if (value)
		*value++ = '\0';
	while (i < count && strcmp(words[i].name, text))
		i++;
	if (i == count)
		return unknown(kind, text, words, count, err);
	if (!is_flag(&words[i]))
		return set_number(kind, &words[i], value ?: "", err);
	if (value)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL, "%s: %s takes no value", kind,
				 text);
	*words[i].out = 1;
	return 0;
}

int words_parse(const char *kind, char *args, const struct port_word *words, u32 count,
		struct skep_error *err)
{
	char *rest = args, *word;
	int code = 0;

	strsep(&rest, ",");
	while (!code && (word = strsep(&rest, ",")) != NULL)
		if (*word)
			code = set_word(kind, word, words, count, err);
	return code;
}
