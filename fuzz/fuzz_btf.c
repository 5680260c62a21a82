/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever bytes claim to be BTF: checked, and if it is accepted every question is answered. */
#include "base/json.h"
#include "btf/btf.h"
#include "btf/fields.h"
#include "fuzz/fuzz.h"

#define TYPES_MAX 200
#define TEXT_MAX  (1 << 20)

static const u8 value[4096] = {1, 2, 'a', 'b', 0, 0xff};

static void print_type(const struct btf_view *btf, u32 id)
{
	struct strbuf text = {.limit = TEXT_MAX};
	struct btf_fields fields;
	struct json json;

	btf_print_type(btf, id, &text);
	btf_print_value(btf, id, value, sizeof(value), &text);
	btf_print_line(btf, id, value, id % sizeof(value), &text);
	json_init(&json, &text, id % 2);
	btf_json_value(btf, id, value, sizeof(value), &json, NULL);
	REQUIRE(text.length <= TEXT_MAX);
	strbuf_done(&text);
	if (!btf_find_fields(btf, id, (1u << BTF_FIELD_KINDS) - 1, &fields))
		REQUIRE(fields.count <= BTF_FIELDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf log = {.limit = TEXT_MAX};
	struct btf_view *btf = NULL;
	struct skep_error err = {};
	int code = btf_view_new(data, size, &btf, &log, &err);

	REQUIRE(code ? !btf && err.code == code && err.text[0] : btf != NULL);
	for (u32 id = 0; !code && id <= btf_type_count(btf) && id < TYPES_MAX; id++) {
		REQUIRE(btf_type(btf, btf_resolve(btf, id)));
		REQUIRE(btf_size(btf, id) <= UINT32_MAX);
		print_type(btf, id);
	}
	strbuf_done(&log);
	btf_view_free(btf);
	return 0;
}
