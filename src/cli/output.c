/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void output_init(struct output *output, bool is_json, bool is_pretty)
{
	*output = (struct output){
		.is_json = is_json || is_pretty,
		.is_pretty = is_pretty,
		.on_terminal = isatty(STDOUT_FILENO),
	};
	strbuf_init(&output->text);
	json_init(&output->json, &output->text, is_pretty);
	pthread_mutex_init(&output->lock, NULL);
}

static void output_print(struct output *output)
{
	if (fwrite(strbuf_text(&output->text), 1, output->text.length, stdout) <
		    output->text.length ||
	    fflush(stdout))
		output->error = errno;
	strbuf_clear(&output->text);
}

int output_done(struct output *output)
{
	output_print(output);
	strbuf_done(&output->text);
	pthread_mutex_destroy(&output->lock);
	return -output->error;
}

void output_list(struct output *output)
{
	output->in_list = true;
	if (output->is_json)
		json_array(&output->json, NULL);
}

void output_list_end(struct output *output)
{
	output->in_list = false;
	if (!output->is_json)
		return;
	json_array_end(&output->json);
	strbuf_addc(&output->text, '\n');
	json_init(&output->json, &output->text, output->is_pretty);
}

void output_begin(struct output *output, const char *kind)
{
	pthread_mutex_lock(&output->lock);
	output->at_line_start = true;
	if (!output->is_json)
		return;
	if (!output->in_list)
		json_init(&output->json, &output->text, output->is_pretty);
	json_object(&output->json, NULL);
	if (kind)
		json_string(&output->json, "event", kind);
}

void output_end(struct output *output)
{
	if (output->is_json)
		json_object_end(&output->json);
	if (output->is_json ? !output->in_list : !output->at_line_start)
		strbuf_addc(&output->text, '\n');
	if (!output->in_list)
		output_print(output);
	pthread_mutex_unlock(&output->lock);
}

void output_line(struct output *output)
{
	if (output->is_json || output->at_line_start)
		return;
	strbuf_adds(&output->text, "\n\t");
	output->at_line_start = true;
}

static void separate(struct output *output)
{
	if (!output->at_line_start)
		strbuf_adds(&output->text, "  ");
	output->at_line_start = false;
}

void output_bare(struct output *output, const char *name, const char *value)
{
	if (output->is_json) {
		json_string(&output->json, name, value);
		return;
	}
	separate(output);
	strbuf_adds(&output->text, value);
}

void output_number_bare(struct output *output, const char *name, u64 value, const char *suffix)
{
	if (output->is_json) {
		json_uint(&output->json, name, value);
		return;
	}
	separate(output);
	strbuf_addf(&output->text, "%llu%s", value, suffix);
	/* "17:" is followed by one space, as bpftool has it. */
	if (!strcmp(suffix, ":")) {
		strbuf_addc(&output->text, ' ');
		output->at_line_start = true;
	}
}

void output_string(struct output *output, const char *name, const char *value)
{
	if (output->is_json) {
		json_string(&output->json, name, value);
		return;
	}
	separate(output);
	strbuf_addf(&output->text, "%s %s", name, value);
}

void output_number(struct output *output, const char *name, u64 value)
{
	if (output->is_json) {
		json_uint(&output->json, name, value);
		return;
	}
	separate(output);
	strbuf_addf(&output->text, "%s %llu", name, value);
}

void output_bytes(struct output *output, const char *name, const char *json_name, u64 value)
{
	if (output->is_json) {
		json_uint(&output->json, json_name, value);
		return;
	}
	separate(output);
	strbuf_addf(&output->text, "%s %lluB", name, value);
}

void output_flag(struct output *output, const char *name, bool value)
{
	if (output->is_json) {
		json_bool(&output->json, name, value);
	} else if (value) {
		separate(output);
		strbuf_adds(&output->text, name);
	}
}

void output_text(struct output *output, const char *name, const char *value)
{
	if (output->is_json) {
		json_string(&output->json, name, value);
		return;
	}
	strbuf_adds(&output->text, value);
	output->at_line_start = *value && value[strlen(value) - 1] == '\n';
}

void output_lines(struct output *output, const char *name, const char *text)
{
	const char *before = NULL;

	if (!*text)
		return;
	if (output->is_json)
		json_array(&output->json, name);
	for (u32 length; *text; text += length + (text[length] == '\n')) {
		char *line = strndup(text, length = strcspn(text, "\n"));

		if (!line)
			break;
		if (output->is_json)
			json_string(&output->json, NULL, line);
		else if (!before)
			output_string(output, name, line);
		else
			strbuf_addf(&output->text, ", %s", line);
		before = text;
		free(line);
	}
	if (output->is_json)
		json_array_end(&output->json);
}

void output_ids(struct output *output, const char *name, const u32 *ids, u32 count)
{
	if (output->is_json) {
		json_array(&output->json, name);
		for (u32 i = 0; i < count; i++)
			json_uint(&output->json, NULL, ids[i]);
		json_array_end(&output->json);
		return;
	}
	if (!count)
		return;
	separate(output);
	strbuf_addf(&output->text, "%s ", name);
	for (u32 i = 0; i < count; i++)
		strbuf_addf(&output->text, "%s%u", i ? "," : "", ids[i]);
}
