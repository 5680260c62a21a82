/* SPDX-License-Identifier: BSD-2-Clause */
/* Text helpers, each input given to the running kernel too. */
#include "catalog/format.h"
#include "tests/helper/linux_call.h"

static void compare(struct linux_call *call, const char *what)
{
	struct linux_call own = *call;

	if (linux_call(call))
		fail_msg("%s: Linux does not load the call", what);
	own_call(&own);
	if (own.result != call->result)
		fail_msg("%s: %lld, Linux %lld", what, own.result, call->result);
	for (u32 i = 0; i < MEMORY_BYTES; i++)
		if (own.memory[i] != call->memory[i])
			fail_msg("%s: byte %u: %#x, Linux %#x; '%s', Linux '%s'", what, i,
				 own.memory[i], call->memory[i], (char *)own.memory,
				 (char *)call->memory);
}

static const struct number_case {
	const char *text;
	u32 size; /* 0: all of it */
	u64 flags;
} number_cases[] = {
	{"0"},
	{"42"},
	{"-42"},
	{"+42"},
	{"  7"},
	{"\t\n7x"},
	{"-"},
	{" "},
	{"x"},
	{"- 5"},
	{"0x1f"},
	{"0X1F"},
	{"0x"},
	{"0xg"},
	{"017"},
	{"019"},
	{"08"},
	{"1f", 0, 16},
	{"0x1f", 0, 16},
	{"0x", 0, 16},
	{"017", 0, 8},
	{"18", 0, 8},
	{"017", 0, 10},
	{"12", 0, 2},
	{"12", 0, 31},
	{"12", 0, 32},
	{"12", 0, 10 + 64},
	{"12345", 3},
	{"9223372036854775807"},
	{"9223372036854775808"},
	{"-9223372036854775808"},
	{"-9223372036854775809"},
	{"18446744073709551615"},
	{"18446744073709551616"},
	{"99999999999999999999999999999999999999999999999999999999999999999999999"},
	{"00000000000000000000000000000000000000000000000000000000000000000000012", 0, 10},
	{"00000000000000000000000000000000000000000000000000000000000000000000012"},
	{"\xa0"
	 "5"},
	{"5\xa0"},
	{"ff", 0, 16},
	{"FG", 0, 16},
	{"-0"},
	{"-0x10"},
	{"0-1"},
	{"--1"},
	{"1 2"},
	{"1,2"},
	{"0x0x1"},
};

static void numbers_are_read_as_on_linux(void **state)
{
	static const u32 helpers[] = {BPF_FUNC_strtol, BPF_FUNC_strtoul};

	if (!linux_can_call())
		skip();
	for (u32 h = 0; h < ARRAY_SIZE(helpers); h++)
		for (u32 i = 0; i < ARRAY_SIZE(number_cases); i++) {
			const struct number_case *row = &number_cases[i];
			struct linux_call call = {
				.type = BPF_PROG_TYPE_SYSCALL,
				.helper = helpers[h],
				.args = {MEMORY(0), NUMBER(row->size ?: strlen(row->text)),
					 NUMBER(row->flags), MEMORY(1024)},
			};

			memcpy(call.memory, row->text, strlen(row->text));
			memset(call.memory + 1024, 0x5a, 8);
			compare(&call, row->text);
		}
}

static void strings_compare_as_on_linux(void **state)
{
	static const struct {
		const char *a, *b;
		u32 size;
	} rows[] = {
		{"abc", "abc", 4},  {"abc", "abd", 4},	{"abd", "abc", 4},
		{"abc", "abcd", 3}, {"abc", "abcd", 4}, {"abc", "ab", 2},
		{"\xff", "a", 2},   {"", "", 1},	{"", "a", 1},
	};

	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct linux_call call = {
			.type = BPF_PROG_TYPE_SYSCALL,
			.helper = BPF_FUNC_strncmp,
			.args = {MEMORY(0), NUMBER(rows[i].size), TEXT(0)},
		};

		strcpy((char *)call.memory, rows[i].a);
		strcpy(call.text, rows[i].b);
		compare(&call, rows[i].a);
	}
}

#define TEXT_AT	    1024 /* in the memory: strings and addresses that arguments point to */
#define BAD_POINTER 0

static const struct format_case {
	const char *format;
	s64 args[4];
	u32 size;	  /* of the output; 0: 256 */
	const char *want; /* where the kernel knows more, or other addresses */
} format_cases[] = {
	{"plain"},
	{""},
	{"100%%"},
	{"%d", {-5}},
	{"%i", {-5}},
	{"%u", {-5}},
	{"%x", {0xbeef}},
	{"%X", {0xbeef}},
	{"%ld", {-5}},
	{"%lld", {INT64_MIN}},
	{"%lu", {-1}},
	{"%llu", {-1}},
	{"%lx", {-1}},
	{"%llX", {-1}},
	{"%d", {0x1ffffffffll}},
	{"%5d|", {42}},
	{"%-5d|", {42}},
	{"%05d|", {42}},
	{"%05d|", {-42}},
	{"%+d %+d", {5, -5}},
	{"% d|% d", {5, -5}},
	{"%-05d|", {7}},
	{"%+5d|", {7}},
	{"%+05d|", {7}},
	{"% 05d|", {7}},
	{"%+u|", {7}},
	{"% x|", {7}},
	{"%08x", {0xab}},
	{"%-8x|", {0xab}},
	{"%c%c", {'h', 'i'}},
	{"%5c|", {'x'}},
	{"%-5c|", {'x'}},
	{"%05c|", {'x'}},
	{"%d %d %d %d", {1, 2, 3, 4}},
	{"%d", {1, 2, 3, 4}},
	{"%300d", {1}},
	{"%d", {123456}, 4},
	{"%d", {123456}, 1},
	{"%d", {123456}, 7},
	{"hello", {}, 6},
	{"hello", {}, 5},
	{"%px", {0x1234}},
	{"%20px|", {0x1234}},
	{"%-20px|", {0x1234}},
	{"%pxyz", {0x1234}},
	{"%5px|", {0x123456}},
	{"%020px|", {0x12}},
	{"a%%b%%c"},
	{"tab\there\n"},
	{"%d%%", {50}},
	{"%s", {BAD_POINTER}},
	{"%ps|", {0x1234}},
	{"%pS|", {0x1234}},
	{"%pB|", {0x1234}},
	{"%10s|", {BAD_POINTER}},
	{"%pks|", {BAD_POINTER}},
	{"%pI4|", {BAD_POINTER}},
	{"%pi4|", {BAD_POINTER}},
	{"%pI6|", {BAD_POINTER}},
	{"%pi6|", {BAD_POINTER}},
	{"%pI4c|", {BAD_POINTER}},
	{"%pI4 %pI4 %pI4 %pI4"},
	{"%s%s%s", {BAD_POINTER, BAD_POINTER, BAD_POINTER}},
};

static void formats_print_as_on_linux(void **state)
{
	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(format_cases); i++) {
		const struct format_case *row = &format_cases[i];
		struct linux_call call = {
			.type = BPF_PROG_TYPE_SYSCALL,
			.helper = BPF_FUNC_snprintf,
			.args = {MEMORY(0), NUMBER(row->size ?: 256), TEXT(0), MEMORY(TEXT_AT),
				 NUMBER(sizeof(row->args))},
		};

		strcpy(call.text, row->format);
		memcpy(call.memory + TEXT_AT, row->args, sizeof(row->args));
		compare(&call, row->format);
	}
}

/* Formats as the verifier sees them: Linux refuses to load the bad ones. */
static const struct {
	const char *format;
	u32 args;
} check_cases[] = {
	{"%", 1},	   {"%%", 0},
	{"%%%", 1},	   {"%d", 0},
	{"%d", 1},	   {"%d%d", 1},
	{"%f", 1},	   {"%e", 1},
	{"%o", 1},	   {"%h", 1},
	{"%hd", 1},	   {"%lld", 1},
	{"%llld", 1},	   {"%l", 1},
	{"%lc", 1},	   {"%ls", 1},
	{"%s", 1},	   {"%sx", 1},
	{"%s.", 1},	   {"%s ", 1},
	{"%s%s", 2},	   {"%p", 1},
	{"%px", 1},	   {"%pa", 1},
	{"%p.", 1},	   {"%p ", 1},
	{"%p%d", 2},	   {"%pK", 1},
	{"%ps", 1},	   {"%pS", 1},
	{"%pB", 1},	   {"%pI4", 1},
	{"%pI5", 1},	   {"%pI", 1},
	{"%pi6", 1},	   {"%pks", 1},
	{"%pus", 1},	   {"%pksx", 1},
	{"%pk", 1},	   {"%pu", 1},
	{"%c", 1},	   {"%cc", 1},
	{"%*d", 2},	   {"%.3d", 1},
	{"%.3s", 1},	   {"%#x", 1},
	{"%5%", 1},	   {"% 0+-5d", 1},
	{"%50", 1},	   {"%z", 1},
	{"%zu", 1},	   {"\x01", 0},
	{"\xc3\xa4", 0},   {"\x7f", 0},
	{"\xff", 0},	   {"%s\xa0", 1},
	{"%s\xa1", 1},	   {"%s\xc3", 1},
	{"%s\xd7", 1},	   {"%\xa0", 1},
	{"%p\xf7", 1},	   {"%p\xe7", 1},
	{"\x80\x81", 0},   {"a\x1b[0m", 0},
	{"\t\n\r\v\f", 0}, {"%d\x01", 1},
	{"%ps%pS", 2},	   {"%pMF", 1},
	{"%pISc", 1},	   {"%pI4%pI6", 2},
	{"%0d", 1},	   {"%00d", 1},
	{"%099d", 1},	   {"%ld%llx%u%i%X", 5},
	{"%n", 1},	   {"%b", 1},
	{"%a", 1},
};

static void formats_are_checked_as_on_linux(void **state)
{
	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(check_cases); i++) {
		const char *format = check_cases[i].format;
		struct linux_call call = {
			.type = BPF_PROG_TYPE_SYSCALL,
			.helper = BPF_FUNC_snprintf,
			.args = {MEMORY(0), NUMBER(64), TEXT(0), MEMORY(TEXT_AT),
				 NUMBER(8 * check_cases[i].args)},
		};
		bool want, got = !format_check(format, strlen(format) + 1, check_cases[i].args);

		strcpy(call.text, format);
		want = !linux_call(&call);
		if (got != want)
			fail_msg("'%s': Linux %s it", format, want ? "takes" : "refuses");
	}
	assert_int_equal(format_check("abc", 3, 0), -EINVAL);
}

/* What needs real addresses: ours. */
static void formats_read_memory(void **state)
{
	static const u8 ip[16] = {192, 168, 0, 9, 0xfe, 0x80};
	char long_text[1000];
	const struct {
		const char *format, *want;
		u64 arg;
	} rows[] = {
		{"<%s>", "<bee>", ptr_to_u64("bee")},
		{"<%6s>", "<   bee>", ptr_to_u64("bee")},
		{"<%-6s>", "<bee   >", ptr_to_u64("bee")},
		{"<%pks>", "<bee>", ptr_to_u64("bee")},
		{"<%pI4>", "<192.168.0.9>", ptr_to_u64(ip)},
		{"<%pi4>", "<192.168.000.009>", ptr_to_u64(ip)},
		{"<%pI6>", "<c0a8:0009:fe80:0000:0000:0000:0000:0000>", ptr_to_u64(ip)},
		{"<%pi6>", "<c0a80009fe8000000000000000000000>", ptr_to_u64(ip)},
		{"<%p>", "<0000000000001234>", 0x1234},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct linux_call call = {
			.helper = BPF_FUNC_snprintf,
			.args = {MEMORY(0), NUMBER(256), TEXT(0), MEMORY(TEXT_AT), NUMBER(8)},
		};

		strcpy(call.text, rows[i].format);
		memcpy(call.memory + TEXT_AT, &rows[i].arg, 8);
		own_call(&call);
		assert_string_equal((char *)call.memory, rows[i].want);
		assert_int_equal(call.result, strlen(rows[i].want) + 1);
	}
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	{
		struct linux_call call = {
			.helper = BPF_FUNC_snprintf,
			.args = {MEMORY(0), NUMBER(900), TEXT(0), MEMORY(TEXT_AT), NUMBER(8)},
		};
		u64 arg = ptr_to_u64(long_text);

		strcpy(call.text, "%s");
		memcpy(call.memory + TEXT_AT, &arg, 8);
		own_call(&call);
		assert_int_equal(call.result, 512); /* Linux's argument buffer */
	}
}

static void calls_with_bad_sizes_are_refused(void **state)
{
	static const struct {
		s64 args_size, want;
	} rows[] = {{4, -EINVAL}, {104, -EINVAL}, {96, 6}, {0, 6}};

	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct linux_call call = {
			.helper = BPF_FUNC_snprintf,
			.args = {MEMORY(0), NUMBER(256), TEXT(0), MEMORY(TEXT_AT),
				 NUMBER(rows[i].args_size)},
		};

		strcpy(call.text, "plain");
		own_call(&call);
		assert_int_equal(call.result, rows[i].want);
	}
}

static char traced[2048];
static size_t traced_length;

static void keep_trace(void *engine, const char *text, size_t length)
{
	memcpy(traced, text, length);
	traced[length] = '\0';
	traced_length = length;
}

static void lines_reach_the_trace(void **state)
{
	const struct run_env env = {.trace = keep_trace};
	struct run_context run = {.env = &env};
	const u64 args[] = {1, 2, 3, 4, 5};
	static char wide[] = "%2000d";

	assert_int_equal(
		helper_body(BPF_FUNC_trace_printk)(ptr_to_u64("a %d %x"), 8, 7, 255, 0, &run),
		6);
	assert_string_equal(traced, "a 7 ff\n");
	assert_int_equal(
		helper_body(BPF_FUNC_trace_printk)(ptr_to_u64("line\n"), 6, 0, 0, 0, &run), 5);
	assert_string_equal(traced, "line\n");
	assert_int_equal(
		helper_body(BPF_FUNC_trace_printk)(ptr_to_u64("%d%d%d%d"), 9, 0, 0, 0, &run),
		-EINVAL);
	assert_int_equal(helper_body(BPF_FUNC_trace_vprintk)(ptr_to_u64("%d%d%d%d%d"), 11,
							     ptr_to_u64(args), 40, 0, &run),
			 5);
	assert_string_equal(traced, "12345\n");
	assert_int_equal(helper_body(BPF_FUNC_trace_vprintk)(ptr_to_u64(wide), 7,
							     ptr_to_u64(args), 8, 0, &run),
			 2000);
	assert_int_equal(traced_length, 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_as_on_linux),
		cmocka_unit_test(strings_compare_as_on_linux),
		cmocka_unit_test(formats_print_as_on_linux),
		cmocka_unit_test(formats_are_checked_as_on_linux),
		cmocka_unit_test(formats_read_memory),
		cmocka_unit_test(calls_with_bad_sizes_are_refused),
		cmocka_unit_test(lines_reach_the_trace),
	};

	return cmocka_run_group_tests_name("helper.text", tests, NULL, NULL);
}
