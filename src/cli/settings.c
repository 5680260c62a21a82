/* SPDX-License-Identifier: BSD-2-Clause */
/* --set: NAME=VALUE for a global variable, MAP[KEY]=VALUE for an entry; values by their BTF
 * types. */
#include "base/os.h"
#include "btf/parse.h"
#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* "MAP[KEY]=VALUE" taken apart; the pointers are into the text. */
struct setting {
	const char *text;
	char name[128];
	const char *key, *value; /* key NULL: a global */
};

static int setting_split(const char *text, struct setting *out)
{
	size_t length = strcspn(text, "[=");

	*out = (struct setting){.text = text};
	if (!length || length >= sizeof(out->name) || !text[length])
		return usage_error("--set %s: expected NAME=VALUE or MAP[KEY]=VALUE", text);
	memcpy(out->name, text, length);
	if (text[length] == '[')
		out->key = text + length + 1;
	else
		out->value = text + length + 1;
	return 0;
}

/* Where a global lives: the map of its section, its offset and its type. */
struct global {
	struct bpf_map *map;
	u32 offset, size, type;
};

static bool find_in_section(const struct btf_view *types, u32 section, const char *name,
			    struct global *out)
{
	const struct btf_type *type = btf_type(types, section);
	const struct btf_var_secinfo *info = (const void *)(type + 1);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		if (strcmp(btf_type_name(types, info[i].type), name))
			continue;
		out->offset = info[i].offset;
		out->size = info[i].size;
		out->type = btf_type(types, info[i].type)->type;
		return true;
	}
	return false;
}

/* libbpf names the map of a section "OBJECT.rodata"; its section is what follows the first dot.
 */
static struct bpf_map *section_map(struct session *session, const char *section)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, session->object) {
		const char *dot = strchr(bpf_map__name(map), '.');

		if (bpf_map__is_internal(map) && dot && !strcmp(dot, section))
			return map;
	}
	return NULL;
}

static bool find_global(struct session *session, const struct btf_view *types, const char *name,
			struct global *out)
{
	for (u32 id = 1; id <= btf_type_count(types); id++) {
		if (btf_kind(btf_type(types, id)) != BTF_KIND_DATASEC ||
		    !find_in_section(types, id, name, out))
			continue;
		out->map = section_map(session, btf_type_name(types, id));
		if (out->map)
			return true;
	}
	return false;
}

/* NULL: it has none. */
static void *global_bytes(const struct global *global)
{
	size_t size;
	char *image = (char *)bpf_map__initial_value(global->map, &size);

	return image && global->offset + global->size <= size ? image + global->offset : NULL;
}

static int set_global(struct session *session, const struct btf_view *types,
		      const struct setting *setting)
{
	struct skep_error err;
	struct global global;
	const char *text = setting->value;
	char *image;

	if (!find_global(session, types, setting->name, &global))
		return usage_error("--set %s: %s has no global variable '%s'", setting->text,
				   session->path, setting->name);
	image = global_bytes(&global);
	if (!image)
		return usage_error("--set %s: the variable cannot be set", setting->text);
	if (btf_parse_value(types, global.type, &text, image, global.size, &err))
		return usage_error("--set: %s", err.text);
	if (*text)
		return usage_error("--set %s: '%s' is left over", setting->text, text);
	return 0;
}

/* Maps of devices and CPUs have no types: a number, and behind a comma the name of the program
 * at the entry. */
static int parse_target(struct session *session, const struct setting *setting,
			const char **text, u32 *out, u32 size)
{
	const struct bpf_program *prog;
	char *end;

	errno = 0;
	out[0] = (u32)strtoul(*text, &end, 0);
	if (end == *text || errno)
		return usage_error("--set %s: expected a number at '%s'", setting->text, *text);
	*text = end;
	if (size < 8 || *end != ',')
		return 0;
	prog = bpf_object__find_program_by_name(session->object, end + 1);
	if (!prog)
		return usage_error("--set %s: %s has no program '%s'", setting->text,
				   session->path, end + 1);
	out[1] = (u32)bpf_program__fd(prog);
	*text = end + strlen(end);
	return 0;
}

/* A key or a value; `type` 0: it has none. */
static int parse_part(struct session *session, const struct btf_view *types, u32 type,
		      const struct setting *setting, const char **text, void *out, u32 size)
{
	struct skep_error err = {};

	if (!type && (size == 4 || size == 8))
		return parse_target(session, setting, text, out, size);
	if (btf_parse_value(types, type, text, out, size, &err))
		return usage_error("--set: %s", err.text);
	return 0;
}

static int set_entry(struct session *session, const struct btf_view *types,
		     const struct setting *setting)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->object, setting->name);
	const char *text = setting->key;
	void *key, *value;
	int code = 0;

	if (!map)
		return usage_error("--set %s: %s has no map '%s'", setting->text, session->path,
				   setting->name);
	key = calloc(1, bpf_map__key_size(map));
	value = calloc(1, bpf_map__value_size(map));
	if (!key || !value)
		code = usage_error("out of memory");
	else if ((code = parse_part(session, types, bpf_map__btf_key_type_id(map), setting,
				    &text, key, bpf_map__key_size(map))))
		;
	else if (strncmp(text, "]=", 2))
		code = usage_error("--set %s: expected ']=' at '%s'", setting->text, text);
	else if (text += 2,
		 (code = parse_part(session, types, bpf_map__btf_value_type_id(map), setting,
				    &text, value, bpf_map__value_size(map))))
		;
	else if (*text)
		code = usage_error("--set %s: '%s' is left over", setting->text, text);
	else if (bpf_map__update_elem(map, key, bpf_map__key_size(map), value,
				      bpf_map__value_size(map), BPF_ANY))
		code = usage_error("--set %s: %s", setting->text, strerror(errno));
	free(key);
	free(value);
	return code;
}

void *session_global(struct session *session, const char *name, size_t size)
{
	struct btf_view *types = session_types(session);
	struct global global;
	void *bytes = NULL;

	if (types && find_global(session, types, name, &global) && global.size == size)
		bytes = global_bytes(&global);
	btf_view_free(types);
	return bytes;
}

int session_share_globals(struct session *session)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, session->object) {
		size_t size;
		void *bytes = (void *)bpf_map__initial_value(map, &size);

		if (!bytes || !(bpf_map__map_flags(map) & BPF_F_MMAPABLE) ||
		    bpf_map__map_flags(map) & BPF_F_RDONLY_PROG)
			continue;
		if (mmap(bytes, round_up(size, os_page_size()), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, bpf_map__fd(map), 0) == MAP_FAILED)
			return usage_error("%s: the globals of %s cannot be mapped: %s",
					   session->path, bpf_map__name(map), strerror(errno));
	}
	return 0;
}

/* Each setting of one kind: globals, or entries. */
static int apply(struct session *session, bool entries)
{
	struct btf_view *types;
	struct setting setting;
	int code = 0;

	if (!session->line->setting_count)
		return 0;
	types = session_types(session);
	if (!types)
		return usage_error("%s: --set needs an object with BTF (clang -g)",
				   session->path);
	for (u32 i = 0; !code && i < session->line->setting_count; i++) {
		code = setting_split(session->line->settings[i], &setting);
		if (!code && entries == (setting.key != NULL))
			code = entries ? set_entry(session, types, &setting)
				       : set_global(session, types, &setting);
	}
	btf_view_free(types);
	return code;
}

int session_set_globals(struct session *session)
{
	return apply(session, false);
}

int session_set_entries(struct session *session)
{
	return apply(session, true);
}
